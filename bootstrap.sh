#!/bin/sh
# Makes .venv from requirements.lock. Says in one line what the machine lacks.
set -eu
python=${1:-python3}
lacks() { echo "agentxsuite: $1" >&2; exit 1; }

command -v "$python" >/dev/null || lacks "python3 (3.11 or newer) is missing: install it and run this again"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || lacks "$python is $("$python" -V 2>&1), but 3.11 or newer is needed: PYTHON=python3.11 make ..."
"$python" -c 'import venv, ensurepip' 2>/dev/null \
  || lacks "python3's venv module is missing: install it (on Debian: apt-get install python3-venv)"
command -v git >/dev/null || lacks "git is missing: install it and run this again"

echo "agentxsuite: making .venv from requirements.lock (about a minute, once)"
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
.venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
touch .venv/.ready
