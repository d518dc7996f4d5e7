#!/usr/bin/env bash
# Everything that demo.sh, test.sh and bench.sh need: Debian packages, .venv, the built and
# installed package. Safe to call again: what is there is left alone, changed sources are rebuilt.
#   scripts/setup.sh demo    what a user needs to run the service
#   scripts/setup.sh test    that, with GoogleTest, the benches, pytest and the linters
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/progress.sh
level=${1:-demo}
case $level in demo | test) ;; *) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;; esac

logs=build/logs
mkdir -p build/stamps "$logs"
exec 9>build/stamps/lock
flock 9 # one set-up at a time

# --- 1. Debian packages -------------------------------------------------------------------------
missing=()
need() { "${@:2}" >/dev/null 2>&1 || missing+=("$1"); } # need PACKAGE CHECK...
header() { g++ -fsyntax-only -x c++ -I/usr/include/eigen3 - <<<"#include <$1>"; }
python_ok() { python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))'; }
python_venv() { python3 -c 'import ensurepip, venv'; }
python_headers() {
  python3 -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'
}
find_missing() {
  missing=()
  need g++ command -v g++
  need cmake command -v cmake
  need ninja-build command -v ninja
  need python3 command -v python3
  need python3-venv python_venv
  need python3-dev python_headers
  need libeigen3-dev header Eigen/Core
  need libboost-dev header boost/beast/version.hpp
  need prometheus-cpp-dev header prometheus/counter.h
  need zlib1g-dev header zlib.h
  if [ "$level" = test ]; then
    need libgtest-dev header gtest/gtest.h
    need libbenchmark-dev header benchmark/benchmark.h
    need npm command -v npm
    need chromium command -v chromium
  fi
}
# What PyPI has too is taken from there where only root could install the Debian package.
declare -A wheel_for=([libeigen3-dev]="cmeel-eigen>=3.4" [libboost-dev]="cmeel-boost>=1.74")
wheels=()
can_install() {
  command -v apt-get >/dev/null && { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }
}
take_wheels() {
  local package rest=()
  for package in "${missing[@]}"; do
    if ! can_install && [ -n "${wheel_for[$package]:-}" ]; then
      wheels+=("${wheel_for[$package]}")
    else
      rest+=("$package")
    fi
  done
  missing=("${rest[@]}")
}
install_packages() {
  local apt=(apt-get) line="apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then apt=(sudo -n apt-get); fi
  if ! can_install; then
    echo "These packages are missing, and only root can install them. Please run:" >&2
    echo "  sudo apt-get update && sudo $line" >&2
    exit 1
  fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  run_logged "apt-get update" "$logs/apt-update.log" "${apt[@]}" update -q
  run_logged "apt-get install" "$logs/apt-install.log" \
    "${apt[@]}" install -y -q --no-install-recommends "${missing[@]}"
}
packages_stamp=build/stamps/packages-$level
if [ ! -e "$packages_stamp" ] || [ scripts/setup.sh -nt "$packages_stamp" ]; then
  find_missing
  take_wheels
  if [ ${#missing[@]} -gt 0 ]; then
    install_packages
    find_missing
    take_wheels
    if [ ${#missing[@]} -gt 0 ]; then
      echo "still missing after the installation: ${missing[*]}" >&2
      exit 1
    fi
  fi
  python_ok || { echo "python3 is $(python3 --version); 3.10 or later is needed" >&2; exit 1; }
  printf '%s\n' "${wheels[@]}" >"$packages_stamp"
fi

# --- 2. .venv -----------------------------------------------------------------------------------
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c '' 2>/dev/null; then
  rm -rf .venv build/stamps/python-* build/stamps/package
  run_logged "creating .venv" "$logs/venv.log" python3 -m venv .venv
fi
export PATH=$PWD/.venv/bin:$PATH
pip_install() { run_logged "$1" "$logs/pip-$2.log" python -m pip install "${@:3}"; }
groups=(--group build --group demo)
mapfile -t wheels < <(grep . "$packages_stamp")
[ "$level" = demo ] || groups+=(--group test --group lint)
wanted=$(cat pyproject.toml "$packages_stamp" | sha256sum | cut -c1-32)
if [ "$(cat "build/stamps/python-$level" 2>/dev/null)" != "$wanted" ]; then
  pip_install "updating pip" pip -q "pip>=25.1" # the first that knows --group
  # CMake's presets need 3.25; older distributions get it from PyPI.
  cmake_version=$(cmake --version | sed -n '1s/[^0-9]*\([0-9]*\.[0-9]*\).*/\1/p')
  if [ "$(printf '%s\n' 3.25 "$cmake_version" | sort -V | head -n 1)" != 3.25 ]; then
    pip_install "installing cmake" cmake -q "cmake>=3.25"
  fi
  pip_install "installing Python packages ($level)" "$level" "${groups[@]}" "${wheels[@]}"
  echo "$wanted" >"build/stamps/python-$level"
fi

# What the page at /dashboard takes from npm: charts, and for tests what drives a browser.
if command -v npm >/dev/null; then
  scripts/fetch_page_assets.sh "$([ "$level" = test ] && echo browser || echo charts)" ||
    say "going on without what npm has: the page at /dashboard will show tables instead of charts"
fi

# --- 3. the package, built once in build/release and installed editable -------------------------
# Warnings are errors with the compiler that CI uses; another one may know warnings that we do not.
werror=${INFEROMETER_WERROR:-}
if [ -z "$werror" ]; then
  if [ "$(g++ -dumpversion)" = 12 ]; then werror=ON; else werror=OFF; fi
fi
configured=build/release/CMakeCache.txt
describe_package() {
  cat pyproject.toml CMakeLists.txt
  python --version
  find python/inferometer -name '*.py' | sort
}
wanted=$(describe_package | sha256sum | cut -c1-32)
if [ "$(cat build/stamps/package 2>/dev/null)" != "$wanted" ] || [ ! -e "$configured" ]; then
  pip_install "building and installing inferometer" package -v --no-build-isolation \
    -e '.[serve,onnx,monitoring]' \
    -C build-dir=build/release -C build.targets=_core \
    -C cmake.define.INFEROMETER_WERROR="$werror"
  python scripts/mark_editable.py
  echo "$wanted" >build/stamps/package
fi
if [ "$level" = test ] && ! grep -q 'INFEROMETER_BUILD_TESTS:[A-Z]*=ON' "$configured"; then
  run_logged "configuring the tests" "$logs/configure.log" \
    cmake -DINFEROMETER_BUILD_TESTS=ON -DINFEROMETER_BUILD_BENCH=ON build/release
fi
# What changed since: ninja knows. The installed module is replaced only if it is another one.
run_logged "building" "$logs/build.log" ninja -C build/release _core
site=$(python -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
run_logged "installing" "$logs/install.log" \
  cmake --install build/release --component python --prefix "$site"
