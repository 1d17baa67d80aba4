#!/bin/sh
# Loads examples/ into the embedded Gainsight tenant with a real tap and a real `meltano run`, and shows what landed.
# Needs no account. Run it again: the second run finds the same records and adds none.
set -eu
cd "$(dirname "$0")/.."
log=.meltano/demo.log

# What the shell exports wins over meltano.yml; the demo must never reach a real tenant.
for name in $(env | sed -n 's/^\(TARGET_GAINSIGHT_[A-Z0-9_]*\)=.*/\1/p'); do
  unset "$name"
done
unset MELTANO_ENVIRONMENT MELTANO_PROJECT_ROOT
export TARGET_GAINSIGHT_DOMAIN=sandbox MELTANO_CLI_DISABLE_VERSION_CHECK=true

# meltano ARGUMENTS...: keeps what it says in the log, and shows the end of it only when it fails.
meltano() {
  if ! .venv/bin/meltano --log-level info --log-format uncolored "$@" >>"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    echo "meltano $1 failed; all it said is in $log." >&2
    exit 1
  fi
}

sh scripts/install.sh
mkdir -p .meltano
: >"$log"
echo "Installing tap-jsonl and target-gainsight as Meltano plugins ..."
meltano install
echo "meltano run load-examples ..."
# --full-refresh: read the files from the start, also when an earlier run has read them.
meltano run --full-refresh load-examples

# Of all that was said: warnings, and the target's summary of each of the three streams.
awk '/ \[(warning|error|critical) / { print }
     / target-gainsight +(stream |calls: |\047)/ { sub(/^.* target-gainsight +/, ""); print "  " $0 }' "$log"

echo
.venv/bin/gainsight sandbox show
.venv/bin/gainsight sandbox show Company --limit 5
echo "Look further: .venv/bin/gainsight sandbox show CG_NPS_Response__gc"
