#!/bin/sh
# Loads examples/ into the embedded Gainsight tenant with a real tap and a real `meltano run`, and shows what landed.
# Needs no account. Run it again: the second run finds the same records and adds none.
#   sh scripts/demo.sh       accounts, contacts and survey responses, from a file each
#   sh scripts/demo.sh nps   the recipe of docs/recipes/nps.md: survey responses alone, into five objects
set -eu
cd "$(dirname "$0")/.."
log=.meltano/demo.log
case ${1:-examples} in
  examples) job=load-examples tenant=gainsight-sandbox.db shown=Company next=CG_NPS_Response__gc ;;
  nps) job=load-nps tenant=gainsight-nps.db shown=activity_timeline next=call_to_action ;;
  *) echo "There is no demo $1. Run: sh scripts/demo.sh, or: sh scripts/demo.sh nps" >&2 && exit 2 ;;
esac

# What the shell exports wins over meltano.yml; the demo must never reach a real tenant.
for name in $(env | sed -n -e 's/^\(TARGET_GAINSIGHT_[A-Z0-9_]*\)=.*/\1/p' -e 's/^\(SINGER_SDK_[A-Z0-9_]*\)=.*/\1/p'); do
  unset "$name"
done
unset MELTANO_ENVIRONMENT MELTANO_PROJECT_ROOT
export TARGET_GAINSIGHT_DOMAIN=sandbox MELTANO_CLI_DISABLE_VERSION_CHECK=true
# Meltano reads meltano.yml in the encoding of the locale, which some machines set to ASCII.
export PYTHONUTF8=1

# meltano ARGUMENTS...: keeps its output in the log, and shows the end of it only when it fails.
meltano() {
  if ! .venv/bin/meltano --log-level info --log-format uncolored "$@" >>"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    echo "meltano $1 failed; its whole output is in $log." >&2
    exit 1
  fi
}

sh scripts/install.sh
mkdir -p .meltano
: >"$log"
echo "Installing tap-jsonl and target-gainsight as Meltano plugins ..."
meltano install
echo "meltano run $job ..."
# --full-refresh: read the files from the start, also when an earlier run has read them.
meltano run --full-refresh "$job"

# Of the whole output: warnings, and the target's summary of each run.
awk '/ \[(warning|error|critical) / { print }
     / target-gainsight[-a-z]* +(stream |calls: |\047)/ { sub(/^.* target-gainsight[-a-z]* +/, ""); print "  " $0 }' "$log"

echo
.venv/bin/gainsight sandbox show --db "$tenant"
.venv/bin/gainsight sandbox show "$shown" --db "$tenant" --limit 5
echo "Look further: .venv/bin/gainsight sandbox show $next --db $tenant"
