#!/bin/sh
# Runs the test suite in a virtual environment of its own, which is deleted afterwards:
#   sh scripts/test-with.sh locked     with the versions of requirements/dev.txt
#   sh scripts/test-with.sh lowest     with the lowest versions that pyproject.toml allows
#   sh scripts/test-with.sh next-sdk   with the locked versions, but the pre-release of the next singer-sdk
# PYTHON=/path/to/python chooses the interpreter, UV=/path/to/uv the installer; further arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
next_sdk='singer-sdk==0.55.0b7'

versions=${1:-}
[ $# -eq 0 ] || shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if [ -z "${UV:-}" ]; then
  sh scripts/install.sh
  UV=$PWD/.venv/bin/uv
fi
install() { "$UV" pip install --quiet --python "$folder/bin/python" --editable '.[sandbox,redis]' --group tests "$@"; }

"$UV" venv --quiet --clear --python "${PYTHON:-.venv/bin/python}" "$folder"
case $versions in
  locked) install --constraints requirements/dev.txt ;;
  lowest) install --resolution lowest-direct ;;
  next-sdk)
    install --constraints requirements/dev.txt
    "$UV" pip install --quiet --python "$folder/bin/python" "$next_sdk"
    ;;
  *) echo "Usage: sh scripts/test-with.sh locked|lowest|next-sdk" >&2 && exit 2 ;;
esac
"$folder/bin/python" --version
"$UV" pip freeze --quiet --python "$folder/bin/python" |
  grep -iE '^(click|msgspec|python-backoff|requests|rich|simplejson|singer-sdk|pyyaml|starlette|uvicorn)=='
"$folder/bin/python" -m pytest -q -n auto -m "not e2e" "$@"
