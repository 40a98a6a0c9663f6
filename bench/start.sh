#!/usr/bin/env bash
# start.sh [MIB [RUNS]]
# From the start of the process to the first 200 of /health/ready, embedded store: with an empty directory, and with MIB
# (1024) of log that no store has had, from the page cache and from the disk. The log is made by a server whose store is
# away (ClickHouse at a port where nobody is) and which is killed (-9) when it has that much; each run has a copy of it.
# Below DATA_PARENT (/tmp); dropping the page cache needs root. BUILD=0 takes what was built before.
set -euo pipefail
mib=${1:-1024} runs=${2:-3}
root=$(cd "$(dirname "$0")/.." && pwd)
data=$(mktemp -d -p "${DATA_PARENT:-/tmp}")
for project in src/Server bench/Load; do
  [ "${BUILD:-1}" = 0 ] || dotnet build -c Release --nologo -v q "$root/$project" >/dev/null
done
pid=
trap '[ -z "$pid" ] || kill -9 $pid 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$data"' EXIT
grpc=${GRPC_PORT:-18401} http=${HTTP_PORT:-18402}

start() { # directory, settings...
  local directory=$1
  shift
  dotnet "$root/src/Server/bin/Release/net10.0/Ingest.Server.dll" --Ingest:DataDirectory="$directory" \
    --Ingest:GrpcPort="$grpc" --Ingest:HttpPort="$http" "$@" >"$data/out.txt" 2>&1 &
  pid=$!
}

await_ready() {
  until curl -sf -o /dev/null "http://127.0.0.1:$http/health/ready"; do
    kill -0 $pid 2>/dev/null || { cat "$data/out.txt"; exit 1; }
    sleep 0.03
  done
}

kill_server() { kill -9 $pid; wait $pid 2>/dev/null || true; pid=; }

measure() { # what, directory
  local began=$EPOCHREALTIME
  start "$2"
  await_ready
  awk -v a="$began" -v b="$EPOCHREALTIME" -v what="$1" 'BEGIN { printf "%-40s %.2f s\n", what, b - a }'
  kill_server
  rm -rf "$2"
}

for run in $(seq "$runs"); do measure "empty, run $run" "$data/empty"; done

start "$data/full" --Ingest:Store:Kind=clickhouse --Ingest:Store:ClickHouse:Shards:0=http://127.0.0.1:9 \
  --Ingest:Log:MaxBytes=$((4 << 30))
until curl -s -o /dev/null "http://127.0.0.1:$http/health"; do sleep 0.05; done
dotnet "$root/bench/Load/bin/Release/net10.0/Ingest.Load.dll" --server "http://127.0.0.1:$grpc" --via frames \
  --method append --streams 8 --connections 2 --rate 1000000 --seconds 600 >/dev/null 2>&1 &
load=$!
until [ "$(du -sm "$data/full/log" 2>/dev/null | cut -f1)" -ge "$mib" ]; do sleep 0.1; done
kill_server
kill $load 2>/dev/null || true
wait $load 2>/dev/null || true
echo "log: $(du -sm "$data/full/log" | cut -f1) MiB in $(find "$data/full/log" -name '*.native' | wc -l) segments"
for run in $(seq "$runs"); do
  cp -r "$data/full" "$data/copy"
  sync
  measure "unsent log, page cache, run $run" "$data/copy"
  cp -r "$data/full" "$data/copy"
  sync
  if (echo 3 >/proc/sys/vm/drop_caches) 2>/dev/null; then measure "unsent log, from the disk, run $run" "$data/copy"; fi
  rm -rf "$data/copy"
done
