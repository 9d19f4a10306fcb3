#!/usr/bin/env bash
# The one test command: installs what the tests need where it may, says what is missing where it may not, and runs them.
#
#   ./test.sh                    everything
#   ./test.sh -p lastframe       arguments go to `cargo test` in place of --workspace
#   LASTFRAME_LONG=1 ./test.sh   the long forms too: 20 rounds of random kills, and what bench/long.sh runs
set -euo pipefail
cd "$(dirname "$0")"

# A program that must be there, and the Debian package that has it.
programs=(
    cc:build-essential
    curl:curl
    ffmpeg:ffmpeg
    nginx:nginx
    gst-launch-1.0:gstreamer1.0-tools
    chromium:chromium
    chromedriver:chromium-driver
    fc-list:fontconfig
    ip:iproute2
    iptables:iptables
    strace:strace
    kill:procps
    mount:mount
    ss:iproute2
    faketime:faketime
    conntrack:conntrack
    sqlite3:sqlite3
    sysctl:procps
    python3:python3
    node:nodejs
    srt-live-transmit:srt-tools
    npm:npm
    psql:postgresql
    pebble:pebble
)
# A file that must be there, and its package.
files=(
    /usr/lib/nginx/modules/ngx_rtmp_module.so:libnginx-mod-rtmp
)
# A GStreamer element that must be there, and its package.
elements=(
    flvmux:gstreamer1.0-plugins-good
    videotestsrc:gstreamer1.0-plugins-base
    h264parse:gstreamer1.0-plugins-bad
    rtmp2sink:gstreamer1.0-plugins-bad
    rtmpsink:gstreamer1.0-plugins-bad
    srtsink:gstreamer1.0-plugins-bad
    mpegtsmux:gstreamer1.0-plugins-bad
    voaacenc:gstreamer1.0-plugins-bad
    x264enc:gstreamer1.0-plugins-ugly
)
# A font for pictures of the console; fontconfig's name of a language, and the package.
fonts=(ja:fonts-noto-cjk)

export PATH="$PATH:/usr/sbin:/sbin"

missing_packages() {
    local entry
    python3 -c 'import ensurepip' 2>/dev/null || echo python3-venv
    for entry in "${programs[@]}"; do
        command -v "${entry%%:*}" >/dev/null || echo "${entry#*:}"
    done
    for entry in "${files[@]}"; do
        [ -e "${entry%%:*}" ] || echo "${entry#*:}"
    done
    for entry in "${elements[@]}"; do
        gst-inspect-1.0 --exists "${entry%%:*}" 2>/dev/null || echo "${entry#*:}"
    done
    for entry in "${fonts[@]}"; do
        [ -n "$(fc-list ":lang=${entry%%:*}" 2>/dev/null)" ] || echo "${entry#*:}"
    done
}

mapfile -t missing < <(missing_packages | sort -u)
if [ "${#missing[@]}" -gt 0 ]; then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        echo "installing: ${missing[*]}"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    else
        echo "missing, and not root on a Debian to install it: ${missing[*]}"
        echo "the scenarios that need it are left out"
    fi
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "not root: scenarios with network namespaces and a full disk are left out"
fi
if ! command -v cargo >/dev/null; then
    echo "missing: Rust 1.95 or newer, as from https://rustup.rs" >&2
    exit 1
fi

# The players of web sites for the browser tests, and a WebRTC client for Node: versions and checksums stand in the lock file.
players="${CARGO_TARGET_DIR:-target}/players"
if command -v npm >/dev/null && ! cmp -s tests/e2e/web/package-lock.json "$players/package-lock.json"; then
    rm -rf "$players"
    mkdir -p "$players"
    cp tests/e2e/web/package.json tests/e2e/web/package-lock.json "$players/"
    # From within: by name npm does not find its way through a target folder that is a link.
    (cd "$players" && npm ci --ignore-scripts --no-audit --no-fund --silent) || rm -f "$players/package-lock.json"
fi

# Scenarios wait more than they compute, so a few at once share a core.
export RUST_TEST_THREADS="${RUST_TEST_THREADS:-4}"
if [ "$#" -gt 0 ]; then
    exec cargo test --locked "$@"
fi
cargo test --locked --workspace
# Records of all nodes in a PostgreSQL, and several nodes over NATS, with servers of the tests' own (that of NATS is put
# into the target folder): features that the default build goes without. The whole workspace is named so that what
# others of it ask of a library stays the same, and is not built again.
cargo test --locked --workspace --features lastframe/full --test postgres --test postgres_query --test postgres_pages
# Certificates from an authority need such a feature too.
cargo test --locked --workspace --features lastframe/full --test e2e -- postgres:: acme:: cluster deploy::

# The fault lab: every cause that can happen today happens for real, and each record must say which it was.
outcomes=$(mktemp)
trap 'rm -f "$outcomes"' EXIT
# The build of the last step, which has everything in it, and the NATS server that it has installed.
target="${CARGO_TARGET_DIR:-target}"
PATH="$PATH:$(echo "$target"/tmp/nats/*/bin)" "$target/debug/lastframe" lab run all --background 10 | tee "$outcomes"
# Optional is what no package of a test machine brings: OBS with a screen, an ffmpeg newer than the system's.
if [ "$(id -u)" -eq 0 ] && grep -v '^none ' "$outcomes" | grep ' skipped: ' | grep -qv ' skipped: optional: '; then
    echo "for root no scenario of the lab may be left out but the optional ones" >&2
    exit 1
fi

if [ "${LASTFRAME_LONG:-}" = 1 ]; then
    bench/long.sh
fi
