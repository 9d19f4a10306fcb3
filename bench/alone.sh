#!/usr/bin/env bash
# What being one of many costs a node: its CPU under the same pushes, in turns without and with `[cluster]` and, where a
# second build is named, with that one too. One line a program and setting; the ratio is that of the medians.
#
#   bench/alone.sh PROGRAM NATS_URL [OTHER_PROGRAM]      PROGRAM built with `--features full`, OTHER_PROGRAM without
#
# TURNS (5), PUSHES (50) and SECONDS_EACH (8) may be set. Needs a NATS server with JetStream at NATS_URL.
set -euo pipefail
program=$(realpath "$1") nats=$2 other=${3:+$(realpath "$3")}
turns=${TURNS:-5} pushes=${PUSHES:-50} seconds=${SECONDS_EACH:-8}
folder=$(mktemp -d)
server=
stop() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; }
    server=
}
trap 'stop; rm -rf "$folder"' EXIT
cat >"$folder/lastframe.toml" <<'TOML'
[[account]]
id = 7

[[domain]]
name = "push.test"
account = 7
auth = false
TOML

# One turn: the server's CPU in ms for each second and push.
turn() {
    local program=$1 clustered=$2 data
    data=$(mktemp -d "$folder/data.XXXXXX")
    local -x LASTFRAME_CONFIG=$folder/lastframe.toml LASTFRAME_DATA=$data
    local -x LASTFRAME_RTMP_LISTEN=127.0.0.1:19351 LASTFRAME_HTTP_LISTEN=127.0.0.1:19352 LASTFRAME_SRT_LISTEN=127.0.0.1:0
    local -x LASTFRAME_RTMPS_LISTEN=127.0.0.1:0 LASTFRAME_HTTPS_LISTEN=127.0.0.1:0 LASTFRAME_WEBRTC_LISTEN=127.0.0.1:0
    [ "$clustered" = no ] || local -x LASTFRAME_CLUSTER_NATS=$nats
    "$program" serve >"$data.log" 2>&1 &
    server=$!
    for _ in $(seq 150); do
        curl -fs -m 2 http://127.0.0.1:19352/readyz >"$data.ready" 2>/dev/null || true
        if grep -q ready "$data.ready" && { [ "$clustered" = no ] || grep -q "cluster: connected" "$data.ready"; }; then break; fi
        sleep 0.2
    done
    env -u LASTFRAME_CLUSTER_NATS "$program" lab load --publishers "$pushes" --kbps 1000 --seconds "$seconds" --pid "$server" \
        --target "rtmp://127.0.0.1:19351/live?domain=push.test" >"$data.json"
    python3 - "$data.json" "$pushes" <<'PY'
import json, sys
def cores(node):
    """The server's use, wherever the report has it."""
    if isinstance(node, dict):
        if "cores" in node:
            return node["cores"]
        return next((found for found in map(cores, node.values()) if found is not None), None)
used = cores(json.load(open(sys.argv[1])))
if used is None:
    sys.exit("the report does not say what the server used")
print("%.4f" % (used * 1000 / float(sys.argv[2])))
PY
    stop
}

echo "load: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) cores, $turns turns of $seconds s, $pushes pushes of 1 Mbit/s"
for _ in $(seq "$turns"); do
    turn "$program" no >>"$folder/alone"
    turn "$program" yes >>"$folder/clustered"
    [ -z "$other" ] || turn "$other" no >>"$folder/other"
done
python3 - "$folder" <<'PY'
import os, statistics, sys
base = None
for name, what in (("alone", "full, without [cluster]"), ("clustered", "full, with [cluster]"), ("other", "built without it")):
    path = os.path.join(sys.argv[1], name)
    if os.path.exists(path):
        all = [float(line) for line in open(path)]
        median = statistics.median(all)
        base = base or median
        print(f"{what:26} {median:.3f} ms of CPU a second and push ({min(all):.3f} to {max(all):.3f}), ratio {median / base:.3f}")
PY
