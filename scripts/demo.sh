#!/usr/bin/env bash
# From a fresh clone to a measured service: sets up what is missing, serves the digit classifier,
# sends it handwritten digits and prints what the metrics say. Options: scripts/demo.sh --help
set -euo pipefail
cd "$(dirname "$0")/.."
for argument in "$@"; do
  case $argument in -h | --help) exec python3 scripts/demo.py --help ;; esac
done
scripts/setup.sh demo
exec .venv/bin/python scripts/demo.py "$@"
