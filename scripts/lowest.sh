#!/bin/sh
# The test suite with the lowest versions that pyproject.toml allows, in a virtual environment of its own.
set -eu
cd "$(dirname "$0")/.."
sh scripts/install.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv="$PWD/.venv/bin/uv"
"$uv" venv --quiet --python .venv/bin/python "$folder/venv"
"$uv" pip install --quiet --python "$folder/venv/bin/python" --resolution lowest-direct \
  --editable '.[sandbox,redis]' --group tests
"$uv" pip freeze --quiet --python "$folder/venv/bin/python" |
  grep -iE '^(click|python-backoff|redis|requests|rich|simplejson|singer-sdk|pyyaml|starlette|uvicorn)=='
"$folder/venv/bin/python" -m pytest -q -n auto -m "not e2e" "$@"
