#!/bin/sh
# The test suite without the end-to-end tests. pytest gets the arguments: sh scripts/test.sh --cov; sh scripts/test.sh -n 2 --dist loadfile -m e2e
set -eu
cd "$(dirname "$0")/.."
sh scripts/install.sh
# Tests read their own files in UTF-8, whatever the locale; a logging configuration of the shell may not exist.
unset SINGER_SDK_LOG_CONFIG
export PYTHONUTF8=1
exec .venv/bin/python -m pytest -n auto -m "not e2e" "$@"
