#!/bin/sh
# Builds the documentation into site/. A broken link, a missing anchor or a page outside the navigation fails.
set -eu
cd "$(dirname "$0")/.."
sh scripts/install.sh
NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict
