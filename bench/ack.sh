#!/usr/bin/env bash
# ack.sh [POINTS_PER_SECOND [SECONDS [POINTS_PER_MESSAGE...]]]
# Time from when a message is due until it is acknowledged DURABLE, 50 streams of Append together at the rate, into the
# embedded store; and what one flush of the log takes meanwhile. Starts a server of its own on free ports with a directory
# of its own, below DATA_PARENT (/tmp); needs what script/server installs. BUILD=0 takes what was built before.
set -euo pipefail
rate=${1:-100000} seconds=${2:-15}
shift $(($# < 2 ? $# : 2))
root=$(cd "$(dirname "$0")/.." && pwd)
data=$(mktemp -d -p "${DATA_PARENT:-/tmp}")
for project in src/Server bench/Load; do
  [ "${BUILD:-1}" = 0 ] || dotnet build -c Release --nologo -v q "$root/$project" >/dev/null
done
dotnet "$root/src/Server/bin/Release/net10.0/Ingest.Server.dll" --Ingest:DataDirectory="$data" \
  --Ingest:GrpcPort=0 --Ingest:HttpPort=0 >"$data/out.txt" 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null || true; wait $pid 2>/dev/null || true; rm -rf "$data"' EXIT
for _ in $(seq 600); do grep -q 'Try:' "$data/out.txt" && break; sleep 0.1; done
grpc=$(awk '$1 == "gRPC" {print $2}' "$data/out.txt") http=$(awk '$1 == "HTTP" {print $2}' "$data/out.txt")
flushes() { # what=sum|count
  curl -s "$http/metrics" | awk -v n="ingest_log_flush_duration_seconds_$1{" 'index($0, n) == 1 && /gps_points/ {print $NF}'
}
for points in "${@:-20}"; do
  sum=$(flushes sum) count=$(flushes count)
  echo "$points points a message:"
  dotnet "$root/bench/Load/bin/Release/net10.0/Ingest.Load.dll" --server "$grpc" --via frames --method append \
    --streams 50 --connections 2 --rate "$rate" --points-per-message "$points" --warm-up 10 --seconds "$seconds"
  awk -v s="$(flushes sum)" -v t="${sum:-0}" -v c="$(flushes count)" -v d="${count:-0}" \
    'BEGIN { printf "flush of the log, mean of %d: %.2f ms\n", c - d, 1000 * (s - t) / (c - d) }'
done
