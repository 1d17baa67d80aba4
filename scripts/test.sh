#!/bin/sh
# The test suite without the end-to-end tests. With arguments, pytest gets them: sh scripts/test.sh tests/project -x
set -eu
cd "$(dirname "$0")/.."
sh scripts/install.sh
if [ $# -gt 0 ]; then
  exec .venv/bin/python -m pytest "$@"
fi
exec .venv/bin/python -m pytest -m "not e2e" --cov
