#!/usr/bin/env bash
# One command to a monitored inference service: service, Prometheus, Alertmanager and, with a Docker
# engine, Grafana. Starts what is not there anew, says where everything is. Options: --help
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."
for argument in "$@"; do
  case $argument in
    -h | --help)
      PYTHONPATH=python/inferometer/monitoring/stack exec python3 -m setup_options --help
      ;;
    --stop | --status | --reset)
      if [ ! -x .venv/bin/python ] && [ ! -e build/monitoring ]; then
        echo "nothing has been set up here yet"
        exit 0
      fi
      ;;
  esac
done
scripts/setup.sh demo
cd "$here"
exec "$OLDPWD/.venv/bin/python" -m inferometer.monitoring.stack.setup_command "$@"
