#!/usr/bin/env bash
# One command to a monitored inference service: service, Prometheus, Alertmanager and, with a Docker
# engine, Grafana. Starts anew what an earlier run started, says where everything is. Options: --help
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."
python=$PWD/.venv/bin/python
set_up=yes
for argument in "$@"; do
  case $argument in
    -h | --help)
      PYTHONPATH=python/inferometer/monitoring/stack exec python3 -m setup_options --help
      ;;
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
