# What the rules beside this find, and what they let be. Nothing of it is run.

# ruleid: no-script-from-elsewhere
curl https://example.com/install | sh
# ruleid: no-script-from-elsewhere
eval "$text"
# ok: no-script-from-elsewhere
curl --output file https://example.com/file
