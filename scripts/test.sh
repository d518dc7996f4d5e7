#!/usr/bin/env bash
# Sets up what is missing, then runs every test, lint and type check. Each stage is timed; a failing
# one does not stop the others; the exit status is 1 if any failed.
#   scripts/test.sh          release, ASan+UBSan and TSan builds with GoogleTest; pytest; lint
#   scripts/test.sh --fast   release build with GoogleTest, pytest without slow tests, lint without
#                            clang-tidy
#   scripts/test.sh --cuda   on a machine with a GPU: what runs on it, and a bench (docs/gpu.md)
#   scripts/test.sh --all    also mutants of the alerts, `pip install .` in isolation, the wheel, the
#                            PyTorch test, other Pythons; the stress test with millions of requests
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/progress.sh
mode=default
early=
for argument in "$@"; do
  case $argument in
    --fast) mode=fast ;;
    --all) mode=all ;;
    --cuda) mode=cuda ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done

reports=$PWD/build/reports
rm -rf "$reports" && mkdir -p "$reports"
names=() seconds=() results=()
# stage NAME COMMAND...: runs it, notes time and result, always succeeds.
stage() {
  local name=$1 started=$SECONDS result=ok
  shift
  echo "=== $name"
  "$@" || result=FAILED
  names+=("$name") seconds+=($((SECONDS - started))) results+=("$result")
  [ "$result" = ok ]
}
summary() {
  printf '\n%-24s %7s  %s\n' stage seconds result
  local i failed=0
  for i in "${!names[@]}"; do
    printf '%-24s %7d  %s\n' "${names[$i]}" "${seconds[$i]}" "${results[$i]}"
    [ "${results[$i]}" = ok ] || failed=1
  done
  printf '%-24s %7d\n\n' total "$SECONDS"
  # GoogleTest's and pytest's own counts; a stage that failed without a failing test counts as one.
  python3 scripts/count_tests.py "$reports" "$failed"
  return "$failed"
}

# Requests of the stress test; without a number as many as it likes.
declare -A stress=()
[ "$mode" != all ] || stress=([release]=2000000 [asan]=1000000 [tsan]=1000000)

# gtest PRESET BUILD_DIR: every GoogleTest binary of a build, results as JSON in build/reports.
gtest() {
  local runner=()
  # ThreadSanitizer cannot place its shadow where the kernel randomises 32 bits of an address.
  if [ "$1" = tsan ] && setarch "$(uname -m)" -R true 2>/dev/null; then
    runner=(setarch "$(uname -m)" -R)
  fi
  [ -z "${stress[$1]:-}" ] || local -x INFEROMETER_STRESS=${stress[$1]}
  GTEST_OUTPUT="json:$reports/gtest-$1/" \
    ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 \
    UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1 \
    run_logged "gtest ($1)" "build/logs/gtest-$1.log" "${runner[@]}" \
    ctest --test-dir "$2" -j "$(nproc)" --output-on-failure --timeout "$([ "$mode" = all ] && echo 600 || echo 150)" --no-tests=error
}
release_build() {
  local targets=(_core gtests)
  [ "$mode" != all ] || targets=(all) # with the benches
  run_logged "release build" build/logs/release.log ninja -C build/release "${targets[@]}"
}
# build_sanitizer PRESET: configures and builds.
build_sanitizer() {
  (cd cpp && cmake --preset "$1") && ninja -C "build/cpp-$1"
}
# start_early PRESETS...: tests wait for a good part of their time; builds, and lint after them, go on
# meanwhile, one after the other, with what is left over of the processors.
start_early() {
  mkdir -p build/logs
  (cd build/logs && rm -f "${@/%/-early.done}" lint-early.status)
  # In a group of its own, to be ended as a whole: Ctrl-C does not reach what runs in the background.
  export lint_options=
  [ "$mode" != all ] || lint_options=--all
  # shellcheck disable=SC2016  # bash -c expands it
  setsid nice -n 19 bash -c 'cd cpp && for preset; do
      (cmake --preset "$preset" && ninja -C "../build/cpp-$preset") >"../build/logs/$preset-early.log"
      touch "../build/logs/$preset-early.done"
    done; cd ..
    status=0; scripts/lint.sh $lint_options >build/logs/lint-early.log 2>&1 || status=$?
    echo "$status" >build/logs/lint-early.status' _ "$@" >build/logs/early.log 2>&1 </dev/null &
  early=$!
  trap 'kill -- "-$early" 2>/dev/null || true' EXIT
}
# await_early PRESET: until that build has ended, or all have.
# shellcheck disable=SC2329  # called by name, through run_logged
await_early() {
  while [ ! -e "build/logs/$1-early.done" ] && kill -0 "$early" 2>/dev/null; do sleep 0.2; done
}
# shellcheck disable=SC2329  # called by name, through stage
sanitizer() {
  # What failed in the early build fails again below, and is shown there.
  run_logged "the build begun meanwhile" build/logs/await.log await_early "$1"
  run_logged "build ($1)" "build/logs/$1-build.log" build_sanitizer "$1" &&
    gtest "$1" "build/cpp-$1"
}
python_tests() {
  local select=()
  [ "$mode" != fast ] || select=(-m "not slow")
  # Files go to as many processes as keep the processors busy: many tests wait for processes that
  # they have started. A file whose test ended its process is begun again once, and no more.
  python -m pytest -q -n "$(($(nproc) + 2))" --dist loadfile --max-worker-restart=1 \
    "${select[@]}" --junitxml="$reports/pytest.xml" --durations=5
}
# shellcheck disable=SC2329  # called by name, through run_logged
await_lint() {
  while [ ! -e build/logs/lint-early.status ] && kill -0 "$early" 2>/dev/null; do sleep 0.2; done
}
# Nobody but lint wants the processors by now.
lint_begun_early() {
  renice -n 0 -g "$early" >/dev/null 2>&1 || true
  run_logged "the lint begun meanwhile" build/logs/await.log await_lint
  cat build/logs/lint-early.log
  [ "$(cat build/logs/lint-early.status 2>/dev/null)" = 0 ]
}
# Every alert fires in some test, and every change of a rule makes one fail. In one process: it counts.
alert_mutants() {
  python -m pytest -q --alerts-coverage --alerts-mutation tests/python/test_alerts_in_the_lab*.py
}
isolated_install() {
  rm -rf build/venv-isolated
  python3 -m venv build/venv-isolated &&
    run_logged "pip install . (isolated)" build/logs/isolated.log \
      build/venv-isolated/bin/pip install . &&
    (cd build && venv-isolated/bin/python -c \
      'import inferometer as im; print("import inferometer", im.__version__)')
}
torch_tests() {
  rm -rf build/venv-torch
  python3 -m venv build/venv-torch &&
    run_logged "pip install torch" build/logs/torch.log build/venv-torch/bin/pip install \
      torch==2.13.0 "pytest>=9" pytest-timeout onnx uvloop dist/*.whl &&
    build/venv-torch/bin/python -m pytest -q tests/python/test_engine.py -k torch &&
    build/venv-torch/bin/python examples/pytorch_module.py
}

# Everything that computes, on the first GPU; the emulated one runs along.
# shellcheck disable=SC2329  # called by name, through stage
gpu_found() {
  python -c 'import inferometer as im, sys
gpu = im.devices()[1]
print(gpu.name, gpu.description, gpu.unavailable or "")
sys.exit(bool(gpu.unavailable))'
}
# shellcheck disable=SC2329
cuda_gtest() {
  local files
  mapfile -t files < <(python -c 'from inferometer.device_list import cuda_files
print(*cuda_files(), sep="\n")')
  INFEROMETER_TEST_CUDA_MODULE=${files[0]} INFEROMETER_CUBLAS=${files[1]} \
    GTEST_OUTPUT="json:$reports/gtest-cuda/" \
    ctest --test-dir build/release/cpp -R '^(backend|model)$' --output-on-failure --no-tests=error
}
# shellcheck disable=SC2329
cuda_python_tests() {
  python -m pytest -q --junitxml="$reports/pytest.xml" tests/python/test_cuda_*.py \
    tests/python/test_onnx_*.py
}
cuda_stages() {
  stage cuBLAS python -m pip install -q 'nvidia-cublas==13.*' || true
  stage GPU gpu_found || return 0
  stage "gtest (GPU)" cuda_gtest || true
  stage "pytest (GPU)" cuda_python_tests || true
  stage "bench (GPU)" scripts/bench.sh gpu || true
}

stage set-up scripts/setup.sh test || { summary; exit 1; }
export PATH=$PWD/.venv/bin:$PATH
stage "release build" release_build || { summary; exit 1; }
if [ "$mode" = cuda ]; then
  cuda_stages
  summary
  exit
fi
[ "$mode" = fast ] || start_early asan tsan
stage "gtest (release)" gtest release build/release/cpp || true
stage pytest python_tests || true
if [ "$mode" != fast ]; then
  stage "asan + ubsan" sanitizer asan || true
  stage tsan sanitizer tsan || true
  stage lint lint_begun_early || true
else
  stage "lint (fast)" scripts/lint.sh --fast || true
fi
if [ "$mode" = all ]; then
  stage "alert mutants" alert_mutants || true
  stage "pip install ." isolated_install || true
  stage wheel scripts/build_wheel.sh || true
  stage torch torch_tests || true
  stage "other Pythons" scripts/other_pythons.sh || true
fi
summary
