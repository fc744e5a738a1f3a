"""Reads what is attached to an image in a registry, with nothing of Ergon's.

    attestations.py HOST/REPOSITORY sha256:DIGEST PUBLIC_KEY

It is looked for where the specifications say: the image's referrers (distribution-spec 1.1, by the tag that stands in
for their API), each as cosign's BUNDLE_SPEC.md or as a DSSE envelope, and cosign's older place, the tag
sha256-….att. Transport is oras's, bundles are read by Sigstore's models, signatures are checked by securesystemslib,
statements by in-toto's. Prints one line for each signed statement; ends with 1 at the first thing that is wrong.
"""

import base64
import hashlib
import json
import pathlib
import sys
import tempfile

import oras.client
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey
from sigstore_models.bundle.v1 import Bundle

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"

repository, digest, key_file = sys.argv[1:]
public = load_pem_public_key(pathlib.Path(key_file).read_bytes())
der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
key = SSlibKey.from_crypto(public, keyid="sha256:" + hashlib.sha256(der).hexdigest())
client = oras.client.OrasClient(insecure=True)


def manifest(name):
    separator = "@" if name.startswith("sha256:") else ":"
    return client.get_manifest(f"{repository}{separator}{name}", allowed_media_type=[MANIFEST, INDEX])


def pulled(name):
    """The documents of an artifact, as `oras pull` leaves them in a folder."""
    with tempfile.TemporaryDirectory() as folder:
        paths = client.pull(f"{repository}@{name}", outdir=folder)
        documents = [pathlib.Path(path).read_bytes() for path in paths]
    for document, layer in zip(documents, manifest(name)["layers"]):
        assert layer["digest"] == "sha256:" + hashlib.sha256(document).hexdigest(), layer
    return documents


def statement(envelope):
    """The predicate type of a statement that the key signed for this very image."""
    assert envelope["payloadType"] == "application/vnd.in-toto+json", envelope["payloadType"]
    assert len(envelope["signatures"]) == 1
    payload = base64.b64decode(envelope["payload"], validate=True)
    Envelope.from_dict(json.loads(json.dumps(envelope))).verify([key], 1)
    said = json_format.ParseDict(json.loads(payload), statement_pb2.Statement())
    Statement.copy_from_pb(said).validate()
    assert [subject.digest["sha256"] for subject in said.subject] == [digest.removeprefix("sha256:")]
    return said.predicate_type


def bundle(content, annotations):
    bundle = Bundle.from_json(content)
    assert bundle.media_type == BUNDLE
    assert bundle.verification_material.public_key.hint == key.keyid
    assert bundle.message_signature is None
    kind = statement(json.loads(content)["dsseEnvelope"])
    assert annotations["dev.sigstore.bundle.content"] == "dsse-envelope"
    assert annotations["dev.sigstore.bundle.predicateType"] == kind
    return kind


for known in manifest(digest.replace(":", "-"))["manifests"]:
    artifact = manifest(known["digest"])
    assert artifact["subject"]["digest"] == digest, artifact
    assert artifact["artifactType"] == known["artifactType"], known
    assert artifact["config"]["mediaType"] == "application/vnd.oci.empty.v1+json"
    (content,) = pulled(known["digest"])
    if known["artifactType"] == ENVELOPE:
        kind = statement(json.loads(content))
        assert known["annotations"]["in-toto.io/predicate-type"] == kind
        print("envelope", kind)
    elif known["artifactType"] == BUNDLE:
        print("bundle", bundle(content, artifact["annotations"]))

for layer in manifest(digest.replace(":", "-") + ".att")["layers"]:
    assert layer["mediaType"] == ENVELOPE, layer
    assert layer["annotations"]["dev.cosignproject.cosign/signature"] == "", layer
    content = client.get_blob(client.get_container(repository), layer["digest"]).content
    kind = statement(json.loads(content))
    assert layer["annotations"]["predicateType"] == kind
    print("att", kind)
