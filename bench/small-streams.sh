#!/usr/bin/env bash
# small-streams.sh [STREAMS [POINTS_PER_SECOND [SECONDS]]]
# Many small streams, one point a message: what they cost the server in CPU and memory, and how many blocks and parts
# come of them. Starts a server of its own on free ports with a directory of its own; needs what script/server installs.
set -euo pipefail
streams=${1:-1000} rate=${2:-10} seconds=${3:-30}
root=$(cd "$(dirname "$0")/.." && pwd)
data=$(mktemp -d)
dotnet build -c Release --nologo -v q "$root/src/Server" >/dev/null
dotnet build -c Release --nologo -v q "$root/bench/Load" >/dev/null
dotnet "$root/src/Server/bin/Release/net10.0/Ingest.Server.dll" --Ingest:DataDirectory="$data" \
  --Ingest:GrpcPort=0 --Ingest:HttpPort=0 >"$data/out.txt" 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null || true; wait $pid 2>/dev/null || true; rm -rf "$data"' EXIT
for _ in $(seq 200); do grep -q 'Try:' "$data/out.txt" && break; sleep 0.1; done
grpc=$(awk '$1 == "gRPC" {print $2}' "$data/out.txt") http=$(awk '$1 == "HTTP" {print $2}' "$data/out.txt")

metric() { curl -s "$http/metrics" | awk -v n="$1" '$1 ~ "^" n "($|{)" {sum += $2} END {print sum + 0}'; }
ticks() { awk '{print $14 + $15}' "/proc/$pid/stat"; }
sql() { curl -s "$http/sql" -d "$1"; }
load() {
  dotnet "$root/bench/Load/bin/Release/net10.0/Ingest.Load.dll" --server "$grpc" --streams "$streams" \
    --connections 4 --rate "$((streams * rate))" --points-per-message 1 --seconds "$1"
}

load 5 >/dev/null # warm up
blocks=$(metric ingest_log_blocks_total)
inserts=$(metric ingest_store_inserts_total) cpu=$(ticks)
load "$seconds"
blocks=$(($(metric ingest_log_blocks_total) - blocks)) inserts=$(($(metric ingest_store_inserts_total) - inserts))
cpu=$(($(ticks) - cpu))
awk -v s="$seconds" -v b=$blocks -v i=$inserts -v c=$cpu -v m="$(awk '/VmRSS/ {print $2}' "/proc/$pid/status")" \
  -v p="$(sql "SELECT count() FROM system.parts WHERE active AND database = currentDatabase()")" 'BEGIN {
  printf "%.1f blocks/s  %.2f parts/s (inserts)  %d active parts at the end  %.2f CPU s/s  %.0f MiB resident\n",
    b / s, i / s, p, c / 100 / s, m / 1024 }'
