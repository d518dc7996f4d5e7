#!/usr/bin/env bash
# Builds a wheel that needs nothing but numpy, and proves it: prometheus-cpp is built from source
# into it, static and hidden; auditwheel names the distributions it fits; a fresh environment imports
# it, as root with the system's prometheus-cpp hidden. The wheel lands in dist/.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/progress.sh
if [ $# -gt 0 ]; then sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
scripts/setup.sh demo
if command -v npm >/dev/null; then
  scripts/fetch_page_assets.sh
else
  say "no npm here: the wheel's page at /dashboard will show tables instead of charts"
fi
export PATH=$PWD/.venv/bin:$PATH
python -m pip install -q --group wheel

# v1.3.0 from its repository, or the sources that Debian packages where that is out of reach.
settings=(-C cmake.define.INFEROMETER_FETCH_PROMETHEUS=ON -C build-dir=build/wheel)
source=${PROMETHEUS_CPP_SOURCE:-}
if [ -z "$source" ] &&
  ! GIT_TERMINAL_PROMPT=0 timeout 20 git ls-remote -q --exit-code \
    https://github.com/jupp0r/prometheus-cpp.git HEAD >/dev/null 2>&1; then
  say "the repository of prometheus-cpp is out of reach; taking Debian's source package"
  source=$(scripts/fetch_prometheus.sh source)
fi
[ -z "$source" ] || settings+=(-C "cmake.define.FETCHCONTENT_SOURCE_DIR_PROMETHEUS-CPP=$source")

rm -rf build/wheel build/wheel-raw dist
run_logged "building the wheel" build/logs/wheel.log \
  python -m pip wheel -v . --no-deps -w build/wheel-raw "${settings[@]}"
run_logged "auditwheel repair" build/logs/auditwheel.log \
  auditwheel repair --strip -w dist build/wheel-raw/*.whl
wheel=$(echo dist/*.whl)
grep -m 1 'Fixed-up wheel\|compatible with' build/logs/auditwheel.log || true

# What the module shows to the dynamic linker: its own init function, nothing of prometheus-cpp.
rm -rf build/wheel-check && mkdir -p build/wheel-check/unpacked
python -m zipfile -e "$wheel" build/wheel-check/unpacked
module=$(find build/wheel-check/unpacked -name '_core*.so')
if nm -D --defined-only "$module" | grep -i prometheus; then
  echo "the module exports symbols of prometheus-cpp" >&2
  exit 1
fi
if readelf -d "$module" | grep NEEDED | grep -i prometheus; then
  echo "the module needs a shared prometheus-cpp" >&2
  exit 1
fi

python3 -m venv build/wheel-check/venv
run_logged "installing the wheel" build/logs/wheel-install.log \
  build/wheel-check/venv/bin/pip install "$wheel"
cat >build/wheel-check/use.py <<'PYTHON'
import numpy as np

import inferometer as im

with im.Engine(lambda x: x * 2, name="double") as engine:
    assert (engine.infer(np.ones((3, 4), np.float32)) == 2).all()
    body, _ = im.render_metrics()
assert b'inference_requests_total{model_name="double",status="success"} 1' in body, body
print("imported", im.__version__, "from the wheel: one request made and counted")
_, gpu, *_ = im.devices()
print("CUDA:", gpu.unavailable or f"{gpu.name}, {gpu.description}")
PYTHON
use=(build/wheel-check/venv/bin/python -P build/wheel-check/use.py)
if ! build/wheel-check/venv/bin/python -P -c '' 2>/dev/null; then use=("${use[0]}" "${use[2]}"); fi
# hidden LIBRARY... -- COMMAND: runs it where the libraries are empty files; nothing else sees that.
# shellcheck disable=SC2016  # for the inner shell
hidden='while [ "$1" != -- ]; do mount --bind /dev/null "$1"; shift; done; shift; exec "$@"'
mapfile -t system < <(ldconfig -p | awk '/libprometheus-cpp/ {print $NF}')
if [ "$(id -u)" -eq 0 ] && [ ${#system[@]} -gt 0 ] && unshare -m true 2>/dev/null; then
  say "with the system's libprometheus-cpp hidden:"
  unshare -m bash -c "$hidden" hidden "${system[@]}" -- "${use[@]}"
else
  "${use[@]}"
fi
say "$wheel ($(du -k "$wheel" | cut -f 1) kB)"
