#!/usr/bin/env bash
# Takes the pictures in docs/images: the page at /dashboard in a real Chromium, over a service under
# load and a real Prometheus. Needs Debian's packages chromium and npm. Run scripts/setup.sh test first.
#   scripts/screenshots.sh              after ten minutes of load
#   scripts/screenshots.sh --minutes 1  after one
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/progress.sh
minutes=10
if [ "${1:-}" = --minutes ] && [ $# -eq 2 ]; then minutes=$2; shift 2; fi
if [ $# -gt 0 ]; then sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
export PATH=$PWD/.venv/bin:$PATH

tools=${INFEROMETER_TOOLS:-$(scripts/fetch_prometheus.sh tools)}
mkdir -p docs/images
python tests/browser/make_screenshots.py docs/images --minutes "$minutes" --prometheus "$tools"
for image in docs/images/*.png; do
  say "$image: $(($(stat -c %s "$image") / 1024)) kB"
done
