#!/usr/bin/env bash
# One command to a monitored inference service: service, Prometheus, Alertmanager and, with a Docker
# engine, Grafana. Starts anew what an earlier run started, says where everything is. Options: --help
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."
python=$PWD/.venv/bin/python
# By its path: a module is looked for in the caller's folder first, which may hold anything.
check=(env PYTHONPATH="$PWD/python" python3 "$PWD/python/inferometer/monitoring/stack/setup_options.py")
set_up=yes
for argument in "$@"; do
  case $argument in
    -h | --help) exec "${check[@]}" --help ;;
  esac
done
# What is wrong with an option is said before anything is installed or started; where python3 itself
# has to be installed first, afterwards.
if python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
  (cd "$here" && "${check[@]}" "$@") || exit
fi
for argument in "$@"; do
  case $argument in
    --stop | --status | --reset)
      if [ -x "$python" ]; then
        set_up=no
      elif [ ! -e build/monitoring ]; then
        echo "nothing has been set up here yet"
        exit 0
      fi
      ;;
  esac
done
[ "$set_up" = no ] || scripts/setup.sh demo
cd "$here"
exec "$python" -m inferometer.monitoring.stack.setup_command "$@"
