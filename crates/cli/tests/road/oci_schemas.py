"""Checks an OCI layout against the JSON schemas of the image specification.

    oci_schemas.py SCHEMAS LAYOUT

Prints one line for each document it checked; ends with 1 at the first that is wrong.
"""

import json
import pathlib
import sys
import warnings

warnings.simplefilter("ignore")
import jsonschema  # noqa: E402

schemas = pathlib.Path(sys.argv[1])
layout = pathlib.Path(sys.argv[2])


def beside(address):
    """They name one another by addresses nobody needs to ask: all are files of one folder."""
    return json.loads((schemas / address.rsplit("/", 1)[-1]).read_text())


def check(content, schema, name):
    schema = json.loads((schemas / f"{schema}-schema.json").read_text())
    resolver = jsonschema.RefResolver(schema["id"], schema, handlers={"https": beside, "http": beside})
    jsonschema.Draft4Validator(schema, resolver=resolver).validate(json.loads(content))
    print(name)


def blob(descriptor):
    content = (layout / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes()
    assert len(content) == descriptor["size"], descriptor
    return content


def check_all(index):
    """Everything an index names, and what that names."""
    for image in json.loads(index)["manifests"]:
        content = blob(image)
        if image["mediaType"] == "application/vnd.oci.image.index.v1+json":
            check(content, "image-index", "index " + image["digest"])
            check_all(content)
            continue
        check(content, "image-manifest", "manifest " + image["digest"])
        config = json.loads(content)["config"]
        # What is attached to an image has a configuration of its own kind.
        if config["mediaType"] == "application/vnd.oci.image.config.v1+json":
            check(blob(config), "config", "config " + config["digest"])


check((layout / "oci-layout").read_bytes(), "image-layout", "oci-layout")
index = (layout / "index.json").read_bytes()
check(index, "image-index", "index.json")
check_all(index)
