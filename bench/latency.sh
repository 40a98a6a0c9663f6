#!/usr/bin/env bash
# latency.sh [POINTS_PER_SECOND [SECONDS]]
# A point in at gRPC to its prediction out at a gRPC subscriber, beside so many other points a second, with the time of
# each step. Starts a server of its own on free ports with a directory of its own, below DATA_PARENT (/tmp); needs what
# script/server installs. BUILD=0 takes what was built before.
set -euo pipefail
rate=${1:-100000} seconds=${2:-10}
root=$(cd "$(dirname "$0")/.." && pwd)
data=$(mktemp -d -p "${DATA_PARENT:-/tmp}")
for project in src/Server bench/Load bench/Latency; do
  [ "${BUILD:-1}" = 0 ] || dotnet build -c Release --nologo -v q "$root/$project" >/dev/null
done
dotnet "$root/src/Server/bin/Release/net10.0/Ingest.Server.dll" --Ingest:DataDirectory="$data" \
  --Ingest:GrpcPort=0 --Ingest:HttpPort=0 >"$data/out.txt" 2>&1 &
pid=$!
load=
trap 'kill $pid $load 2>/dev/null || true; wait $pid 2>/dev/null || true; rm -rf "$data"' EXIT
for _ in $(seq 600); do grep -q 'Try:' "$data/out.txt" && break; sleep 0.1; done
grpc=$(awk '$1 == "gRPC" {print $2}' "$data/out.txt") http=$(awk '$1 == "HTTP" {print $2}' "$data/out.txt")
ticks() { awk '{print $14 + $15}' "/proc/$pid/stat"; }
if [ "$rate" -gt 0 ]; then
  dotnet "$root/bench/Load/bin/Release/net10.0/Ingest.Load.dll" --server "$grpc" --streams 20 --connections 2 \
    --rate "$rate" --points-per-message 100 --seconds "$((seconds + 32))" >"$data/load.txt" 2>&1 &
  load=$!
  sleep 15 # Until what is hot has been compiled again with what was learnt.
fi
cpu=$(ticks)
dotnet "$root/bench/Latency/bin/Release/net10.0/Ingest.Latency.dll" --server "$grpc" --http "$http" --warm-up 8 --seconds "$seconds"
awk -v c=$(($(ticks) - cpu)) -v s="$((seconds + 9))" 'BEGIN { printf "server CPU: %.2f s a second\n", c / 100 / s }'
if [ -n "$load" ]; then wait "$load" || true; cat "$data/load.txt"; load=; fi
