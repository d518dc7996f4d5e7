#!/usr/bin/env bash
# Gets what the page at /dashboard takes from npm, checked against package-lock.json.
#   scripts/fetch_page_assets.sh           uPlot's own minified file, into the package
#   scripts/fetch_page_assets.sh browser   that, and playwright-core for tests and screenshots
# Without it everything still builds: the page then shows values as tables instead of charts.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/progress.sh
level=${1:-charts}
case $level in charts | browser) ;; *) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;; esac
command -v npm >/dev/null || { echo "npm is missing (Debian: apt-get install npm)" >&2; exit 1; }

box=build/page
vendor=python/inferometer/asgi/dashboard/static/vendor
mkdir -p "$box" build/logs
# npm ci removes what it is not asked for: what an earlier call has brought stays asked for.
[ ! -e "$box/node_modules/playwright-core" ] || level=browser
packages=(uplot)
[ "$level" != browser ] || packages+=(playwright-core)
wanted=$(cat package.json package-lock.json .npmrc | sha256sum | cut -c1-32)
is_there() {
  local package
  for package in "${packages[@]}"; do
    [ -e "$box/node_modules/$package/package.json" ] || return 1
  done
  [ "$(cat "$box/stamp" 2>/dev/null)" = "$wanted" ]
}
if ! is_there; then
  rm -f "$box/stamp" # until all is there again
  cp package.json package-lock.json .npmrc "$box/"
  options=(--fetch-timeout=20000 --fetch-retries=1 --no-audit --no-fund --ignore-scripts)
  [ "$level" = browser ] || options+=(--omit=dev)
  run_logged "npm ci ($level)" build/logs/npm.log npm --prefix "$box" ci "${options[@]}"
  echo "$wanted" >"$box/stamp"
fi
mkdir -p "$vendor"
cp "$box/node_modules/uplot/dist/uPlot.iife.min.js" "$box/node_modules/uplot/dist/uPlot.min.css" "$vendor/"
cp "$box/node_modules/uplot/LICENSE" "$vendor/uPlot.LICENSE"
