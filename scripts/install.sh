#!/bin/sh
# Makes .venv at the top of the project, with the locked tools and this package in editable form.
# A second call finds everything done. PYTHON=/path/to/python chooses the interpreter, and no other is taken then.
set -eu
cd "$(dirname "$0")/.."

if [ -n "${PYTHON:-}" ]; then
  set -- "$PYTHON"
else
  set -- python3 python python3.14 python3.13 python3.12 python3.11 python3.10
fi
python=
for candidate in "$@"; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  found=$("$1" --version 2>&1) || found="no $1"
  echo "This needs Python 3.10 or newer; found here: $found." >&2
  echo "Install one, or name it: PYTHON=/path/to/python sh scripts/demo.sh" >&2
  exit 1
fi

# A virtual environment does not survive being copied or moved: its commands name the old place.
if [ -f .venv/.made-in ] && [ "$(cat .venv/.made-in)" != "$(pwd)" ]; then
  rm -rf .venv
fi
# One that was made with another Python than the one asked for is of no use either.
if [ -n "${PYTHON:-}" ] && [ -f .venv/.made-in ] &&
  [ "$(.venv/bin/python --version 2>&1)" != "$("$python" --version)" ]; then
  rm -rf .venv
fi
if [ ! -x .venv/bin/python ]; then
  echo "Making .venv with $("$python" --version) ..."
  if ! "$python" -m venv .venv; then
    rm -rf .venv
    echo "That Python cannot make virtual environments. On Debian and Ubuntu:" >&2
    echo "  apt-get install python3-venv" >&2
    exit 1
  fi
  pwd >.venv/.made-in
fi

# What is installed is described by these two files: the same as last time, nothing to do.
wanted=$(cat requirements/dev.txt pyproject.toml | cksum)
if [ "$(cat .venv/.installed 2>/dev/null)" = "$wanted" ]; then
  exit 0
fi
echo "Installing the locked tools and target-gainsight into .venv (about a minute the first time) ..."
pip() { .venv/bin/python -m pip --disable-pip-version-check --no-input -qq "$@"; }
pip install --no-deps --no-compile --requirement requirements/dev.txt
pip install --no-deps --no-build-isolation --editable .
echo "$wanted" >.venv/.installed
