#!/bin/sh
# Checks every locked dependency for known vulnerabilities. Needs the network, so CI runs it as a job of its own.
set -eu
cd "$(dirname "$0")/.."
sh scripts/install.sh
exec .venv/bin/uv tool run --quiet pip-audit --strict --disable-pip --requirement requirements/dev.txt "$@"
