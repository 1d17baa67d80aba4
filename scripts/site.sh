#!/bin/sh
# Build the documentation into site/. Fail on broken links, missing anchors and pages outside the navigation.
set -eu
cd "$(dirname "$0")/.."
sh scripts/install.sh
NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict
