#!/usr/bin/env bash
# Measures records in PostgreSQL, on a server of its own in a folder below the current one, which is deleted afterwards.
#
#   bench/postgres.sh [RECORDS]      pages over so many records (default 5000000; 700 bytes of disk each)
#
# Run as a plain user, or as root with a user `postgres`: PostgreSQL will not run as root.
set -euo pipefail
records=${1:-5000000}
here=$(cd "$(dirname "$0")/.." && pwd)
bin=$(dirname "$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -1 || command -v initdb)")
[ -x "$bin/initdb" ] || { echo "PostgreSQL is not installed" >&2; exit 1; }
bench=${BENCH:-}
if [ -z "$bench" ]; then
    (cd "$here" && cargo build --release --locked -p store --features postgres --example postgres_bench)
    bench=$here/${CARGO_TARGET_DIR:-target}/release/examples/postgres_bench
fi
folder=$(mktemp -d "$PWD/bench-postgres.XXXXXX")
chmod 711 "$folder"
as=()
if [ "$(id -u)" -eq 0 ]; then
    chown postgres "$folder"
    as=(setpriv --reuid postgres --regid postgres --clear-groups)
fi
stop() {
    kill -INT "$server" 2>/dev/null && wait "$server" 2>/dev/null
    rm -rf "$folder"
}
cd "$folder"
"${as[@]}" "$bin/initdb" -A trust -U lastframe -E UTF8 --locale=C.UTF-8 -D "$folder/data" >/dev/null
# Durable as in production: fsync is on.
"${as[@]}" "$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c shared_buffers=1GB \
    -c max_wal_size=4GB -c checkpoint_timeout=15min 2>"$folder/log" &
server=$!
trap stop EXIT
until "$bin/psql" -qAt -U lastframe -h "$folder" postgres -c 'select 1' >/dev/null 2>&1; do sleep 0.2; done
url=postgres://lastframe@${folder//\//%2F}/postgres
mkdir "$folder/nodes" && cd "$folder/nodes"
echo "load: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) cores, PostgreSQL $("$bin/postgres" --version | grep -o '[0-9.]*' | head -1)"
for rate in ${RATES:-5000 10000 20000}; do
    "$bench" ship "$url" "$rate" "${SECONDS_EACH:-20}"
done
for evidence in ${EVIDENCE:-0 1024 8192}; do
    "$bench" backfill "$url" "${BACKFILL:-150000}" "$evidence"
done
"$bench" fill "$url" "$records" 20
"$bench" queries "$url" 20
