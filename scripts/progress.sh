# shellcheck shell=bash
# For sourcing: say (a line with the time since the start) and run_logged (a command with its output
# in a file, a sign of life every five seconds, and the end of that file where it failed).

say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }

# interrupted PID: on a signal, ends what runs in the background and then the script.
interrupted() {
  kill -TERM "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
  echo "interrupted"
  exit 130
}

# run_logged LABEL LOG COMMAND...
run_logged() {
  local label=$1 log=$2 started=$SECONDS pid status=0 step waited=0
  shift 2
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  # shellcheck disable=SC2064  # this pid, now
  trap "interrupted $pid" INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    waited=$((waited + 1))
    if [ $((waited % 25)) -eq 0 ]; then
      # Ninja counts its steps: [12/40] Building ...
      step=$(grep -ohE '\[[0-9]+/[0-9]+\]' "$log" | tail -n 1 || true)
      say "$label ... $step"
    fi
  done
  wait "$pid" || status=$?
  trap - INT TERM
  if [ "$status" -ne 0 ]; then
    # What went wrong first, then how it ended.
    grep -nE '(error|Error|ERROR): |FAILED: ' "$log" | cut -c 1-200 | head -n 20 || true
    echo "..."
    tail -n 15 "$log"
    say "$label: FAILED (whole output: ${log#"$PWD/"})"
    return "$status"
  fi
  if [ $((SECONDS - started)) -ge 2 ]; then say "$label: $((SECONDS - started)) s"; fi
}
