"""Pushes and pulls an artifact with oras.

    artifact.py HOST:PORT TOKEN FOLDER [USER BACKEND]

USER with the TOKEN as password is `ergon` unless said; BACKEND is how it is shown: `basic` or `token`. Prints what came back and the tags of its repository.
"""

import pathlib
import sys

import oras.client

address, token, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
user, backend = sys.argv[4:] or ("ergon", "basic")
client = oras.client.OrasClient(hostname=address, insecure=True, auth_backend=backend)
client.login(hostname=address, username=user, password=token, config_path=str(folder / "config.json"))
sent = folder / "sent.txt"
sent.write_text("text")
for tag in ("1", "2"):
    client.push(target=f"{address}/team/artifact:{tag}", files=[f"{sent}:text/plain"], disable_path_validation=True)
(came,) = client.pull(target=f"{address}/team/artifact:1", outdir=str(folder / "came"))
tags = client.get_tags(f"{address}/team/artifact")
print(pathlib.Path(came).read_text(), sorted(tags))
