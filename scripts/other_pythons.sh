#!/usr/bin/env bash
# Builds and tests the package with the other Python versions that it supports, in build/pythons.
#   scripts/other_pythons.sh             3.10, 3.12 and 3.13, as far as they are here: as python3.X, or
#                                        as pyenv has them; says which are not
#   scripts/other_pythons.sh PYTHON...   these interpreters
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/progress.sh
case ${1:-} in -*) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;; esac

# interpreter VERSION: where it is, the newest one of pyenv; nothing if it is not here.
interpreter() {
  local found
  for found in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
    if found=$(command -v "$found") && "$found" -c '' 2>/dev/null; then
      echo "$found"
    fi
  done | tail -n 1
}
pythons=("$@")
if [ ${#pythons[@]} -eq 0 ]; then
  for version in 3.10 3.12 3.13; do
    found=$(interpreter "$version")
    if [ -n "$found" ]; then pythons+=("$found"); else say "Python $version is not here: not tested"; fi
  done
fi

failed=0
for python in "${pythons[@]}"; do
  version=$("$python" -c 'import platform; print(platform.python_version())')
  folder=build/pythons/$version
  rm -rf "$folder" && mkdir -p "$folder"
  "$python" -m venv "$folder/venv"
  pip=("$folder/venv/bin/python" -m pip)
  run_logged "Python $version: packages" "$folder/pip.log" bash -c \
    '"$@" install -q "pip>=25.1" && "$@" install -q --group build --group demo --group test' _ "${pip[@]}"
  run_logged "Python $version: building" "$folder/build.log" "${pip[@]}" install -v \
    --no-build-isolation -e '.[serve,onnx]' -C build-dir="$folder/build" -C build.targets=_core
  "$folder/venv/bin/python" scripts/mark_editable.py
  say "Python $version: testing"
  PATH=$PWD/$folder/venv/bin:$PATH "$folder/venv/bin/python" -m pytest -q -m "not slow" || failed=1
done
exit "$failed"
