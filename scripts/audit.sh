#!/bin/sh
# Asks the advisory databases about every locked dependency. Needs the network, so that CI runs it apart from the rest.
set -eu
cd "$(dirname "$0")/.."
sh scripts/install.sh
exec .venv/bin/uv tool run --quiet pip-audit --strict --disable-pip --requirement requirements/dev.txt "$@"
