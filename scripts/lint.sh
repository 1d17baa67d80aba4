#!/bin/sh
# All checks that do not run the code.
set -eu
cd "$(dirname "$0")/.."
sh scripts/install.sh
bin=.venv/bin
$bin/ruff check .
$bin/ruff format --check .
$bin/mypy
$bin/mypy scripts/docs.py
$bin/mypy docs/examples/library.py
$bin/mypy examples/nps/webhook.py
$bin/lint-imports
$bin/python scripts/docs.py --check
sh scripts/site.sh
$bin/zizmor --offline --quiet .github
