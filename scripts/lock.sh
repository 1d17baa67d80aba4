#!/bin/sh
# Updates the lock files. Versions stay as they are where pyproject.toml allows them; --upgrade takes the newest.
# They name no package index: whoever installs from them uses the configured one.
#   requirements/dev.txt     the development tools, for every supported Python
#   requirements/image.txt   what the container image installs, where possible in the same versions
set -eu
cd "$(dirname "$0")/.."

compile() {
  .venv/bin/uv pip compile pyproject.toml --extra sandbox --extra redis --universal --generate-hashes \
    --no-emit-index-url --no-emit-find-links --custom-compile-command "sh scripts/lock.sh" --quiet "$@"
}

compile --group dev --python-version 3.10 --output-file requirements/dev.txt "$@"
cp requirements/dev.txt requirements/image.txt # versions to prefer
compile --group image --python-version 3.13 --output-file requirements/image.txt
