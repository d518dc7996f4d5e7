#!/usr/bin/env bash
# Runs benches. Each writes JSON lines to build/bench/NAME.jsonl and a record to build/records.
#   scripts/bench.sh             lists them
#   scripts/bench.sh NAME...     runs cpp/bench/NAME_bench.cc, scripts/bench/NAME.py; "all" for all
#   scripts/bench.sh engine [--fast] [--only PATTERN] [--rounds N]
#   scripts/bench.sh simulator [--only PATTERN] [--rounds N]
# Further options of Google Benchmark in $BENCH_OPTIONS, e.g. --benchmark_repetitions=5
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/progress.sh
names() {
  find cpp/bench -name '*_bench.cc' -printf '%f\n' | sed 's/_bench\.cc$//'
  find scripts/bench -maxdepth 1 -name '*.py' -printf '%f\n' 2>/dev/null | sed 's/\.py$//'
}
mapfile -t known < <(names | sort -u)
if [ $# -eq 0 ] || [ "$1" = --help ]; then
  sed -n '2,7s/^# \{0,1\}//p' "$0"
  printf '  %s\n' "${known[@]}"
  exit 0
fi
# What a bench in Python runs besides a binary of its own name.
declare -A also_builds=(
  [engine]="engine_call_bench engine_threads_bench"
  [telemetry]="recording_bench render_bench recorder_bench series_memory"
)
chosen=()
while [ $# -gt 0 ] && [[ "$1" != --* ]]; do
  chosen+=("$1")
  shift
done
if [ $# -gt 0 ] && [[ ! "${chosen[*]}" =~ ^(engine|simulator)$ ]]; then
  echo "got $*, want options behind engine alone or simulator alone" >&2
  exit 2
fi
# All but that of GPUs, which there may be none of.
[ "${chosen[0]}" != all ] || mapfile -t chosen < <(printf '%s\n' "${known[@]}" | grep -v '^gpu$')
for name in "${chosen[@]}"; do
  if [[ " ${known[*]} " != *" $name "* ]]; then
    echo "no bench is called $name; there are: ${known[*]}" >&2
    exit 2
  fi
done

scripts/setup.sh test
export PATH=$PWD/.venv/bin:$PATH PYTHONPATH=$PWD/scripts:$PWD/scripts/bench
mkdir -p build/bench
for name in "${chosen[@]}"; do
  lines=build/bench/$name.jsonl
  : >"$lines"
  read -ra targets <<<"${also_builds[$name]:-}"
  [ ! -e "cpp/bench/${name}_bench.cc" ] || targets+=("${name}_bench")
  if [ ${#targets[@]} -gt 0 ]; then
    run_logged "building $name" "build/logs/bench-$name.log" \
      ninja -C build/release "${targets[@]}"
  fi
  if [ -e "cpp/bench/${name}_bench.cc" ]; then
    # shellcheck disable=SC2086  # several options
    "build/release/cpp/bench/${name}_bench" ${BENCH_OPTIONS:-} \
      --benchmark_out="build/bench/$name.json" --benchmark_out_format=json
    python scripts/bench_lines.py "build/bench/$name.json" >>"$lines"
  fi
  if [ -e "scripts/bench/$name.py" ]; then
    # JSON lines are results; the others are for who looks on.
    python "scripts/bench/$name.py" "$@" | tee "build/bench/$name.txt"
    grep '^{' "build/bench/$name.txt" >>"$lines"
  fi
  say "$lines; record: $(python -c '
import json, sys
print(json.dumps([json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]))' "$lines" |
    python scripts/run_record.py bench name="$name" options="${BENCH_OPTIONS:-}$*")"
done
