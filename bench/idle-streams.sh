#!/usr/bin/env bash
# idle-streams.sh [STREAMS]
# Memory of an open Append stream that sends next to nothing: the server's resident memory before STREAMS (10,000) are
# opened, with them, and with as many again; null store, so that no engine's memory moves beside it. A stream sends a point
# when it is due, one in 1,000 s. BUILD=0 takes what was built before.
set -euo pipefail
streams=${1:-10000}
root=$(cd "$(dirname "$0")/.." && pwd)
data=$(mktemp -d -p "${DATA_PARENT:-/tmp}")
for project in src/Server bench/Load; do
  [ "${BUILD:-1}" = 0 ] || dotnet build -c Release --nologo -v q "$root/$project" >/dev/null
done
dotnet "$root/src/Server/bin/Release/net10.0/Ingest.Server.dll" --Ingest:DataDirectory="$data" --Ingest:Store:Kind=null \
  --Ingest:GrpcPort=0 --Ingest:HttpPort=0 >"$data/out.txt" 2>&1 &
pid=$! loads=()
trap 'kill $pid "${loads[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$data"' EXIT
for _ in $(seq 600); do grep -q 'Try:' "$data/out.txt" && break; sleep 0.1; done
grpc=$(awk '$1 == "gRPC" {print $2}' "$data/out.txt")
resident() { awk '$1 == "VmRSS:" {print $2}' "/proc/$pid/status"; }
load=("$root/bench/Load/bin/Release/net10.0/Ingest.Load.dll" --server "$grpc" --via frames --method append)
dotnet "${load[@]}" --streams 100 --rate 100 --points-per-message 1 --seconds 3 >"$data/load.txt" 2>&1
sleep 2
before=$(resident)
for half in first second; do
  dotnet "${load[@]}" --streams "$streams" --connections 20 --rate $((streams / 1000 + 1)) --points-per-message 1 \
    --seconds 60 >>"$data/load.txt" 2>&1 &
  loads+=($!)
  sleep 12
  after=$(resident)
  awk -v a="$before" -v b="$after" -v n="$streams" -v h="$half" \
    'BEGIN { printf "%s %d streams: %.0f to %.0f MiB, %.1f KiB each\n", h, n, a / 1024, b / 1024, (b - a) / n }'
  before=$after
done
