#!/bin/sh
# Writes requirements/dev.txt anew: the newest versions that fit pyproject.toml, for every supported Python.
# It names no package index: whoever installs from it uses the one configured.
set -eu
cd "$(dirname "$0")/.."
exec .venv/bin/uv pip compile pyproject.toml --extra sandbox --extra redis --group dev \
  --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-emit-find-links \
  --custom-compile-command "sh scripts/lock.sh" --quiet --output-file requirements/dev.txt "$@"
