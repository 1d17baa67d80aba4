#!/bin/sh
# The test suite without the end-to-end tests. pytest gets the arguments: sh scripts/test.sh --cov; sh scripts/test.sh -n 2 --dist loadfile -m e2e
set -eu
cd "$(dirname "$0")/.."
sh scripts/install.sh
exec .venv/bin/python -m pytest -n auto -m "not e2e" "$@"
