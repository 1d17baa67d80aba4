#!/bin/sh
# Loads examples/ into the embedded Gainsight tenant with a real tap and a real `meltano run`, and shows what landed.
# Needs no account. Run it again: the second run updates the same records.
set -eu
cd "$(dirname "$0")/.."

# What the shell exports wins over meltano.yml; the demo must never reach a real tenant.
for name in $(env | sed -n 's/^\(TARGET_GAINSIGHT_[A-Z0-9_]*\)=.*/\1/p'); do
  unset "$name"
done
TARGET_GAINSIGHT_DOMAIN=sandbox
MELTANO_PROJECT_ROOT=$(pwd)
MELTANO_CLI_LOG_LEVEL=${MELTANO_CLI_LOG_LEVEL:-warning}
export TARGET_GAINSIGHT_DOMAIN MELTANO_PROJECT_ROOT MELTANO_CLI_LOG_LEVEL
unset MELTANO_ENVIRONMENT

sh scripts/install.sh
echo "Installing the tap and the target as Meltano plugins ..."
.venv/bin/meltano install
echo "Running: meltano run load-examples"
# --full-refresh: read the files from the start, also when an earlier run has read them.
.venv/bin/meltano run --full-refresh load-examples

echo
echo "In the embedded tenant (gainsight-sandbox.db):"
.venv/bin/gainsight sandbox show
.venv/bin/gainsight sandbox show Company --limit 5
