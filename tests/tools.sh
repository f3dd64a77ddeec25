#!/bin/sh
# What the tests need and no wheel brings: npm's clients, Chromium, nginx. Does nothing when all
# are there; says in one line what the machine lacks.
set -eu
cd "$(dirname "$0")/clients"
lacks() { echo "agentxsuite: $1" >&2; exit 1; }

wanted=
command -v chromium >/dev/null || wanted="$wanted chromium"
[ -x /usr/sbin/nginx ] || command -v nginx >/dev/null || wanted="$wanted nginx-light"
if [ -n "$wanted" ]; then
  command -v apt-get >/dev/null || lacks "the tests need$wanted: install it and run this again"
  [ "$(id -u)" = 0 ] || lacks "the tests need$wanted: sudo apt-get install$wanted"
  echo "agentxsuite: installing$wanted"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # several packages
  apt-get install -y -qq --no-install-recommends $wanted >/dev/null 2>&1 \
    || { apt-get update -qq && apt-get install -y -qq --no-install-recommends $wanted >/dev/null; } \
    || lacks "apt-get could not install$wanted"
fi

if [ ! -e node_modules/.ready ] || [ package-lock.json -nt node_modules/.ready ]; then
  command -v npm >/dev/null || lacks "npm is missing: the tests let its clients through the gateway"
  echo "agentxsuite: installing the clients of tests/clients (about a minute, once)"
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
  touch node_modules/.ready
fi
