#!/usr/bin/env bash
# Lint and type checks. Run scripts/setup.sh test first (scripts/test.sh does).
#   scripts/lint.sh          all of them; clang-tidy on our sources, without its static analyzer
#   scripts/lint.sh --fast   without clang-tidy
#   scripts/lint.sh --all    clang-tidy on tests and benches too, one file at a time, and the static
#                            analyzer
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/progress.sh
mode=default
for argument in "$@"; do
  case $argument in
    --fast) mode=fast ;;
    --all) mode=all ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
export PATH=$PWD/.venv/bin:$PATH

failed=()
# check NAME COMMAND...: notes a failure and goes on.
check() {
  local started=$SECONDS
  if "${@:2}"; then say "$1: ok, $((SECONDS - started)) s"; else
    say "$1: FAILED"
    failed+=("$1")
  fi
}
format_cpp() {
  find cpp tests/cpp tests/fakes \( -name '*.cc' -o -name '*.cu' -o -name '*.h' \) -print0 |
    xargs -0 clang-format --dry-run -Werror
}
stub() {
  python -m mypy.stubtest inferometer._core --allowlist scripts/stubtest_allowlist.txt &&
    python scripts/check_stub.py
}
shell() { shellcheck -x scripts/*.sh tests/data/grafana_schema/*.sh .ci/run; }
javascript() {
  command -v node >/dev/null || { say "no node here: the page's scripts are not checked"; return 0; }
  local file
  for file in python/inferometer/asgi/dashboard/static/js/*.js tests/browser/*.mjs; do
    node --check "$file" || return 1
  done
}
# The SDK is written for Python 3.11.
dashboards() {
  if python -c 'import grafana_foundation_sdk' 2>/dev/null; then
    python scripts/dashboards/generate.py --check
  else
    say "no grafana-foundation-sdk for $(python --version): dashboards are not compared"
  fi
}
# tidy CHECKS SOURCES...: findings in headers are reported too (HeaderFilterRegex). What is read
# several files at a time is read one by one too in the end, by --all.
compile_database() { (cd cpp && cmake --preset tidy >../build/logs/tidy.log); }
# The flags are g++'s: clang does not know them all. Deprecations inside libstdc++ are not ours.
flags=(-Wthread-safety -Wno-ignored-gch -Wno-unknown-warning-option -Wno-deprecated-declarations)
alone=()
[ "$mode" != all ] || alone=(--alone)
tidy() {
  scripts/tidy.py "${alone[@]}" build/cpp-tidy "${@:2}" -- "${flags[@]/#/--extra-arg=}" --checks="$1"
}
analyzer() { tidy '-*,clang-analyzer-*' "$@"; }
mapfile -t sources < <(find cpp/src cpp/bindings -name '*.cc' | sort)
mapfile -t tests < <(find tests/cpp tests/fakes cpp/bench -name '*.cc' | sort)

check layers scripts/check_layers.py
check includes scripts/check_includes.py
check "ruff check" ruff check -q .
check "ruff format" ruff format -q --check .
check clang-format format_cpp
check shellcheck shell
check mypy mypy
check stub stub
check dashboards dashboards
check javascript javascript
[ "$mode" = fast ] || check "compile database" compile_database
[ "$mode" = fast ] || check clang-tidy tidy '-clang-analyzer-*' "${sources[@]}"
if [ "$mode" = all ]; then
  check "clang-tidy (tests)" tidy '-clang-analyzer-*' "${tests[@]}"
  check "static analyzer" analyzer "${sources[@]}"
fi

if [ ${#failed[@]} -gt 0 ]; then
  say "failed: ${failed[*]}"
  exit 1
fi
