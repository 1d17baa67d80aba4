#!/bin/sh
# Builds sdist and wheel into dist/, then installs the wheel as a user would and runs its commands.
set -eu
cd "$(dirname "$0")/.."
sh scripts/install.sh
rm -rf dist
.venv/bin/python -m build --no-isolation
.venv/bin/uv tool run --quiet twine check --strict dist/*
.venv/bin/python -m zipfile --list dist/*.whl | grep -q target_gainsight/py.typed

clean=$(mktemp -d)
trap 'rm -rf "$clean"' EXIT
.venv/bin/python -m venv "$clean/venv"
"$clean/venv/bin/python" -m pip install -qq "$(ls "$PWD"/dist/*.whl)[sandbox]"
cd "$clean"
venv/bin/target-gainsight --version
venv/bin/target-gainsight --about --format json >about.json
venv/bin/gainsight --help >help.txt
echo "The wheel installs and runs."
