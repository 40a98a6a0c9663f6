#!/usr/bin/env bash
# durable.sh [PART...]
# What a durable point costs, and how many there are a second; generator and server on the same machine. Parts, default all:
#   path       rows and columns decoded and dropped, then with the log, both without a store; and the log's share
#   engine     the embedded engine alone, on segments that are ready on disk, until its merges are idle; with their rows in
#              the order of the table, as the server has it, and as they came
#   all-in     the same with the whole server: SECONDS_OF_LOAD (20) of rows, then until store and merges are idle
#   burst      10 s as fast as it goes into the embedded store, rows and columns
#   sustained-rows, sustained-columns
#              MINUTES (5) at RATE (2000000) rows or COLUMNS_RATE (3000000) points in columns a second into the embedded
#              store; the backlog every 10 s
#   cost       not among the default ones: what a point costs the server all the way, beside what cannot be saved. RUNS (3)
#              times in turn: (a) a gRPC C++ peer decodes and drops, h2load sends; (b) the engine alone inserts SEGMENTS
#              (18) segments that are ready, rows as they came; (c) the server all the way, as many rows at COST_RATE
#              (2000000) a second, after WARM_UP (15) s at a million. (b) and (c) until merges are idle. Prints c / (a + b)
#   flat       not among the default ones: FLAT_MINUTES (30) of rows at FLAT_RATE (1000000) a second into the embedded store;
#              resident memory each 10 s, and what a million rows cost by the size of the table, into CSV in OUT
# A gRPC C++ server that only decodes is beside ours in bench/compare/compare.sh cpp.
# Servers are its own, on free ports, with a directory below DATA_PARENT (default: temporary).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d -p "${DATA_PARENT:-${TMPDIR:-/tmp}}")
seconds=${SECONDS_OF_LOAD:-20} minutes=${MINUTES:-5} rate=${RATE:-2000000} columns_rate=${COLUMNS_RATE:-3000000}
pid=
stop() { if [ -n "$pid" ]; then kill "${1:--TERM}" "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; pid=; fi; }
trap 'stop -KILL; rm -rf "$work"' EXIT
if [ -z "${NO_BUILD:-}" ]; then
  for project in src/Server bench/Load bench/Engine; do dotnet build -c Release --nologo -v q "$root/$project" >/dev/null; done
fi

serve() { # NAME ARGUMENTS...: a server with a directory of that name
  local data=$work/$1
  shift
  later=0
  mkdir -p "$data"
  dotnet "$root/src/Server/bin/Release/net10.0/Ingest.Server.dll" --Ingest:DataDirectory="$data" \
    --Ingest:GrpcPort=0 --Ingest:HttpPort=0 "$@" >"$data/out.txt" 2>&1 &
  pid=$!
  for _ in $(seq 200); do grep -q 'Try:' "$data/out.txt" && break; sleep 0.1; done
  grpc=$(awk '$1 == "gRPC" {print $2}' "$data/out.txt") http=$(awk '$1 == "HTTP" {print $2}' "$data/out.txt")
}
# Each load sends points of two days behind those of the one before: merges of parts whose times overlap cost more than twice
# as much, and no fleet sends its points twice.
load() {
  later=$((later + 172800))
  dotnet "$root/bench/Load/bin/Release/net10.0/Ingest.Load.dll" --server "$grpc" --streams 8 --connections 2 --via frames \
    --later "$later" "$@"
}
ticks() { awk '{print $14 + $15}' "/proc/$pid/stat"; }
metric() { curl -s "$http/metrics" | awk -v n="$1" '$1 ~ "^" n "($|{)" {sum += $2} END {printf "%.0f", sum}'; }
collections() { curl -s "$http/metrics" | awk '/^dotnet_gc_collections/ {printf "%s ", $0}' | sed 's/dotnet_gc_collections_total//g'; }
resident() { awk '/VmRSS/ {printf "%.0f", $2 / 1024}' "/proc/$pid/status"; }
sql() { curl -s "$http/sql" -d "$1"; }
# CPU of the server's threads by name since the last call, those of a hundredth of it at least.
declare -A before
threads() { # POINTS
  local name n
  declare -A now=()
  while read -r name n; do now[$name]=$((${now[$name]:-0} + n)); done < <(
    cat "/proc/$pid"/task/*/stat 2>/dev/null | sed -E 's/^[0-9]+ \((.*)\) (.*)$/\2 \1/' | awk '{n = $12 + $13; for (i = 1; i <= 50; i++) $i = ""; gsub(/^ +| +$/, ""); gsub(/ /, "_"); gsub(/[0-9]+$/, ""); print $0, n}')
  for name in "${!now[@]}"; do
    echo "$name $((${now[$name]} - ${before[$name]:-0}))"
  done | sort -k2 -rn | awk -v p="$1" '$2 / 100 / p * 1e6 >= 0.01 {printf "%s %.3f  ", $1, $2 / 100 / p * 1e6} END {print ""}'
  for name in "${!now[@]}"; do before[$name]=${now[$name]}; done
}
measure() { # NAME LOAD_ARGUMENTS...: prints the load's report and the server's CPU a million points
  local name=$1 c
  shift
  threads 1 >/dev/null
  c=$(ticks)
  load "$@" --json "$work/report.json" >"$work/report.txt"
  c=$(($(ticks) - c))
  points=$(sed -E 's/.*"points":([0-9]+).*/\1/' "$work/report.json")
  echo "== $name"
  cat "$work/report.txt"
  awk -v c=$c -v p="$points" -v m="$(resident)" 'BEGIN {
    printf "server: %.3f CPU s a million points, %.2f M points a CPU second, %d MiB resident\n", c / p * 1e4, p / c / 1e4, m }'
  threads "$points"
}
until_idle() { # waits until the store has all and merges nothing for 2 s
  local quiet=0
  while [ $quiet -lt 10 ]; do
    if [ "$(metric ingest_store_lag_seconds)" = 0 ] && [ "$(sql 'SELECT count() FROM system.merges')" = 0 ]; then
      quiet=$((quiet + 1))
    else
      quiet=0
    fi
    sleep 0.2
  done
}

path() {
  serve drop --Ingest:Store:Kind=null --Ingest:Log:Enabled=false
  load --seconds 5 >/dev/null
  measure 'rows, decoded and dropped' --seconds 6
  load --seconds 3 --form columns >/dev/null
  measure 'columns, decoded and dropped' --seconds 6 --form columns
  stop
  serve log --Ingest:Store:Kind=null
  load --seconds 5 >/dev/null
  measure 'rows, with the log' --seconds 6
  load --seconds 3 --form columns >/dev/null
  measure 'columns, with the log' --seconds 6 --form columns
  echo 'a minute of rows, with the log'
  echo "collections before: $(collections)"
  local allocated
  allocated=$(metric dotnet_gc_heap_total_allocated_bytes_total)
  load --seconds 60 --json "$work/report.json"
  allocated=$(($(metric dotnet_gc_heap_total_allocated_bytes_total) - allocated))
  echo "collections after:  $(collections)"
  sed -E 's/.*"points":([0-9]+).*/\1/' "$work/report.json" | awk -v a="$allocated" '{printf "%.2f bytes allocated a point\n", a / $1}'
  stop
}
engine() {
  segments 12 1500000
  engine_on 16
  engine_on 16 plain
  rm -rf "$work/segments"
}
all_in() {
  serve all-in
  load --seconds 5 >/dev/null
  until_idle
  local c merged
  merged=$(sql "SELECT sum(value) FROM system.events WHERE event = 'MergedRows'")
  c=$(ticks)
  measure 'rows, all the way' --seconds "$seconds" --rate "$rate"
  until_idle
  c=$(($(ticks) - c)) merged=$(($(sql "SELECT sum(value) FROM system.events WHERE event = 'MergedRows'") - merged))
  awk -v c=$c -v p="$points" -v g="$merged" -v m="$(resident)" 'BEGIN {
    printf "until store and merges are idle: %.3f CPU s a million points, %.2f merges a row, %d MiB resident\n", c / p * 1e4, g / p, m }'
  stop
}
burst() {
  serve burst
  load --seconds 5 >/dev/null
  until_idle
  measure 'burst of rows' --seconds 10
  until_idle
  measure 'burst of columns' --seconds 10 --form columns
  stop
}
hold() { # NAME RATE ARGUMENTS...
  local name=$1 goal=$2 peak=0 now
  shift 2
  serve "sustained-$name"
  load --seconds 5 "$@" >/dev/null
  until_idle
  load --seconds $((minutes * 60)) --rate "$goal" "$@" >"$work/report.txt" &
  local sender=$! at=0
  echo "== $name, $goal a second for $minutes minutes: seconds, log MB, lag s, resident MiB, parts"
  while kill -0 $sender 2>/dev/null; do
    sleep 10
    at=$((at + 10)) now=$(resident)
    peak=$((now > peak ? now : peak))
    echo "$at $(($(metric ingest_log_size_bytes) / 1000000)) $(metric ingest_store_lag_seconds) $now $(sql "SELECT count() FROM system.parts WHERE active AND table = 'gps_points'")"
  done
  cat "$work/report.txt"
  echo "peak $peak MiB resident; collections $(collections)"
  stop -KILL
  rm -rf "$work/sustained-$name"
}
sustained_rows() { hold rows "$rate"; }
sustained_columns() { hold columns "$columns_rate" --form columns; }

# The engine's bench on so many segments, "plain" for rows as they came; its line of figures.
engine_on() { dotnet "$root/bench/Engine/bin/Release/net10.0/Ingest.EngineBench.dll" "$work/segments" "$@"; }
segments() { # SECONDS RATE: segments that no store has had
  serve segments --Ingest:Store:Kind=clickhouse --Ingest:Store:ClickHouse:Shards:0=http://127.0.0.1:1
  load --seconds "$1" --rate "$2" >/dev/null
  stop -KILL
}
build_peer() {
  peer=$work/peer
  mkdir -p "$peer"
  protoc -I "$root/bench/compare/peers" --cpp_out="$peer" --grpc_out="$peer" \
    --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" peer.proto
  # shellcheck disable=SC2046
  g++ -O2 -std=c++17 -I"$peer" "$root/bench/compare/peers/cpp/peer.cc" "$peer"/*.cc -o "$peer/peer" \
    $(pkg-config --cflags --libs grpc++ protobuf)
  python3 "$root/bench/compare/body.py" "$peer/body.bin" 1000000 1000 rows 5000
}
peer_cost() { # CPU s a million points of the peer; 16 streams of a million
  local port=${PEER_PORT:-20190} c
  "$peer/peer" "$port" >/dev/null 2>&1 &
  pid=$!
  for _ in $(seq 100); do (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done
  for streams in 2 16; do
    c=$(ticks)
    h2load -n $streams -c 2 -m 1 -t 1 -w 24 -W 26 -d "$peer/body.bin" -H 'content-type: application/grpc' \
      -H 'te: trailers' "http://127.0.0.1:$port/ingest.v1.IngestService/StreamGpsPoints" >"$work/h2load.txt"
    grep -q "^requests:.* $streams succeeded" "$work/h2load.txt" || { cat "$work/h2load.txt" >&2; return 1; }
  done
  awk -v c=$(($(ticks) - c)) 'BEGIN {printf "%.3f", c / 100 / 16}'
  stop -KILL
}
cost() {
  local runs=${RUNS:-3} count=${SEGMENTS:-18} at=${COST_RATE:-2000000} a b c merged
  build_peer
  segments $((count + 3)) 1000000
  for run in $(seq "$runs"); do
    a=$(peer_cost)
    engine_on "$count" plain | tee "$work/plain.txt"
    b=$(sed -E 's/.* ([0-9.]+) when merges were idle.*/\1/' "$work/plain.txt")
    serve "cost-$run"
    load --seconds "${WARM_UP:-15}" --rate 1000000 >/dev/null
    until_idle
    c=$(ticks) merged=$(sql "SELECT sum(value) FROM system.events WHERE event = 'MergedRows'")
    load --seconds $((count * 1000000 / at)) --rate "$at" --json "$work/report.json" >/dev/null
    until_idle
    c=$(($(ticks) - c)) merged=$(($(sql "SELECT sum(value) FROM system.events WHERE event = 'MergedRows'") - merged))
    stop
    sed -E 's/.*"points":([0-9]+).*/\1/' "$work/report.json" | awk -v a="$a" -v b="$b" -v c=$c -v g=$merged -v run="$run" '{
      c = c * 1e4 / $1
      printf "run %d, CPU s a million: peer decodes %s, engine alone %s, server all the way %.3f (%.2f merges a row); c / (a + b) = %.2f\n",
        run, a, b, c, g / $1, c / (a + b) }' | tee -a "$work/ratios.txt"
  done
  sed 's/.*= //' "$work/ratios.txt" | sort -n | awk '{v[NR] = $1} END {printf "least %s, median %s, most %s\n", v[1], v[int((NR + 1) / 2)], v[NR]}'
}
flat() {
  local at=${FLAT_RATE:-1000000} out=${OUT:-$root/bench/results/amd-epyc} begin rows last=0 c=0 now cpu
  serve flat
  load --seconds 5 --rate "$at" >/dev/null
  until_idle
  echo "seconds,resident_mib,log_mb,lag_s,rows_m,parts" | tee "$out/flat.csv"
  echo "table_m,cpu_s_per_m,parts" >"$out/growth.csv"
  load --seconds $((${FLAT_MINUTES:-30} * 60)) --rate "$at" >"$work/report.txt" &
  local sender=$!
  begin=$(date +%s) c=$(ticks)
  while kill -0 $sender 2>/dev/null; do
    sleep 10
    now=$(sql "SELECT count(), sum(rows) FROM system.parts WHERE active AND table = 'gps_points'") cpu=$(ticks)
    rows=${now#*$'\t'} now=${now%$'\t'*}
    echo "$(($(date +%s) - begin)),$(resident),$(($(metric ingest_log_size_bytes) / 1000000)),$(
      metric ingest_store_lag_seconds),$((rows / 1000000)),$now" | tee -a "$out/flat.csv"
    if [ $((rows - last)) -ge 10000000 ]; then
      [ "$last" = 0 ] || awk -v r="$rows" -v n=$((rows - last)) -v c=$((cpu - c)) -v p="$now" \
        'BEGIN {printf "%d,%.3f,%d\n", r / 1e6, c * 1e4 / n, p}' >>"$out/growth.csv"
      last=$rows c=$cpu
    fi
  done
  cat "$work/report.txt"
  stop -KILL
}

for part in "${@:-path engine all-in burst sustained-rows sustained-columns}"; do
  for one in $part; do "${one//-/_}"; done
done
