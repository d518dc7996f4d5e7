#!/usr/bin/env bash
# Gets what Debian and Ubuntu package, into build/tools: no root, no services, nothing in /etc.
#   scripts/fetch_prometheus.sh tools    prometheus, promtool, prometheus-alertmanager and amtool;
#                                        prints the folder that holds them
#   scripts/fetch_prometheus.sh source   prometheus-cpp's source; prints its folder
# A second call answers at once. Only the folder goes to stdout; progress goes to stderr.
set -euo pipefail
cd "$(dirname "$0")/.."
box=$PWD/build/tools

# apt with lists and cache of its own: works as any user, also where the system's lists are empty.
private=$box/apt
private_apt() {
  "$1" -o Dir::State::lists="$private/lists" -o Dir::Cache="$private/cache" \
    -o Debug::NoLocking=1 -o APT::Sandbox::User= -o Acquire::http::Timeout=20 \
    -o Acquire::https::Timeout=20 -o Acquire::Retries=1 -o Acquire::Languages=none "${@:2}"
}
private_update() {
  mkdir -p "$private/lists/partial" "$private/cache/archives/partial"
  private_apt apt-get "$@" update -qq >"$private/update.log" 2>&1 || true
}

fetch_source() {
  local source=$box/prometheus-cpp-source
  if [ ! -e "$source/core/CMakeLists.txt" ]; then
    echo "fetching the source of prometheus-cpp (Debian source package) ..." >&2
    mkdir -p "$private"
    local where
    where=$(apt-cache madison prometheus-cpp-dev | awk -F'|' 'NR==1 {print $3}')
    if [ -z "$where" ]; then
      private_update
      where=$(private_apt apt-cache madison prometheus-cpp-dev | awk -F'|' 'NR==1 {print $3}')
    fi
    # "URI suite/component arch Packages"
    local uri suite
    read -r uri suite _ <<<"$where"
    [ -n "$uri" ] || { echo "no package list knows prometheus-cpp-dev" >&2; return 1; }
    echo "deb-src $uri ${suite%%/*} ${suite##*/}" >"$private/sources.list"
    local only=(-o Dir::Etc::sourcelist="$private/sources.list" -o Dir::Etc::sourceparts=/dev/null)
    private_update "${only[@]}"
    rm -rf "$box/src" && mkdir -p "$box/src"
    (cd "$box/src" && private_apt apt-get "${only[@]}" source -qq --download-only prometheus-cpp \
      >"$private/source.log" 2>&1) || { cat "$private"/*.log >&2; return 1; }
    rm -rf "$source.part" "$source" && mkdir -p "$source.part"
    tar -xf "$box"/src/prometheus-cpp_*.orig.tar.* -C "$source.part" --strip-components=1
    mv "$source.part" "$source"
  fi
  echo "$source"
}

case ${1:-} in
  tools) exec python3 python/inferometer/monitoring/stack/binaries.py --fetch "$box" ;;
  source) fetch_source ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
