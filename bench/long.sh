#!/usr/bin/env bash
# The runs that take long: `.ci/run --long` does them after the tests, about an hour on two quiet cores.
#
#   bench/long.sh                  all of them
#   bench/long.sh causes|store|soak
#   bench/long.sh chaos            what the tests' long form of cluster_chaos does, with the program of a release; as root
#
# What they show stands in docs/causes.md, which the first one writes, and in docs/performance.md.
set -euo pipefail
cd "$(dirname "$0")/.."

target="${CARGO_TARGET_DIR:-target}"
program="$target/release/lastframe"
cargo build --release --locked --workspace --features lastframe/full --bins

causes() {
    PATH="$PATH:$(echo "$target"/tmp/nats/*/bin)" "$program" lab run all --repeat 20 --background 100 --docs docs/causes.md
}

store() {
    cargo build --release --locked -p store --example store_bench
    "$target/release/examples/store_bench" queries 5000000 1
}

# 2,000 encoders, and ten more whose streams 3,000 players watch; everybody leaves after a minute on average and comes back.
soak() {
    local report="$target/soak.json"
    "$program" lab load --publishers 2010 --kbps 100 --streams 10 --played-kbps 300 --players 3000 --fps 15 \
        --seconds "${SOAK_SECONDS:-600}" --churn 60s | tee "$report"
    python3 - "$report" <<'PY'
import json, sys

report = json.load(open(sys.argv[1]))
server = report["server"]
# Players of an encoder that leaves are left too; encoders may only leave by themselves.
faults = [f"{what}: {count}" for what, count in report["errors"].items() if what.startswith("push")]
if report["refusals"]:
    faults.append(f"refusals: {report['refusals']}")
if server["last_kib"] > 1.25 * server["first_kib"] + 32 * 1024:
    faults.append(f"memory: {server['first_kib']} KiB at the start, {server['last_kib']} at the end")
if faults:
    sys.exit(f"the soak found: {', '.join(faults)}")
PY
}

# Half an hour of chaos in a cluster. E2E_SEED repeats an earlier one.
chaos() {
    E2E_PROGRAM="$(realpath "$program")" E2E_CHAOS_SECONDS="${CHAOS_SECONDS:-1800}" \
        cargo test --locked --workspace --features lastframe/full --test e2e -- --nocapture \
        cluster_chaos::whatever_is_killed_or_cut
}

[ "$#" -gt 0 ] || set -- causes store soak
for run in "$@"; do "$run"; done
