#!/bin/sh
# Compares Lastframe with nginx and its RTMP module, and both with programs that do the least there is to do.
# Needs root once, to install what it compares with (Debian: nginx, libnginx-mod-rtmp, srt-tools, valgrind); then about 25 minutes.
#
#   bench/compare/run.sh                      everything
#   bench/compare/run.sh ingest --runs 7      one part: ingest, rtmp, flv, transports, attempts, alone,
#                                             instructions
#
# With LASTFRAME_OTHER_BUILD=PROGRAM another build of Lastframe takes its turns too in the first three.
set -eu
cd "$(dirname "$0")/../.."

install_missing() {
    missing=""
    for package in nginx libnginx-mod-rtmp srt-tools valgrind; do
        dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
    done
    [ -z "$missing" ] && return
    [ "$(id -u)" = 0 ] || { echo "not installed:$missing; run this as root once, or go without" >&2; return; }
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}

# Each connection is a file, on both sides.
ulimit -n "$(ulimit -Hn)"
install_missing
exec cargo bench --locked -p lastframe --bench compare -- "$@"
