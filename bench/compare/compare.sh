#!/usr/bin/env bash
# compare.sh [NAME...]
# The same client stream, byte for byte, sent by h2load to this server and to peers, in turn on one machine; prints points a
# second, points per CPU second, and both against this server. Names, default all that can be built here:
#   cpp go node python   servers that decode every point and drop it, against ours with Store:Kind=null and the log off
#   pipeline             grpc-js + INSERT ... FORMAT JSONEachRow into ClickHouse, against ours with the embedded engine;
#                        CPU of the database counts on both sides
# Needs h2load, python3, and for peers protoc with grpc_cpp_plugin and g++, go with protoc-gen-go and -go-grpc and Debian's
# golang-google-grpc-dev, node with tests/Foreign installed, python3-grpcio. ROUNDS (3), POINTS (1000000), PYTHON (/usr/bin/python3).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${TMPDIR:-/tmp}/ingest-bench-compare
rounds=${ROUNDS:-3} points=${POINTS:-1000000}
# Debian's grpcio is its own Python's, which need not be the first in PATH.
python=${PYTHON:-/usr/bin/python3}
mkdir -p "$work"
pids=()
data=$(mktemp -d)
cleanup() {
  kill "${pids[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$data"
}
trap cleanup EXIT

has() { command -v "$1" >/dev/null; }
has h2load || { echo "h2load is missing: Debian's nghttp2-client has it."; exit 2; }

# ---- peers ----

build_cpp() {
  if [ ! -x "$work/peer-cpp" ]; then
    has grpc_cpp_plugin && has g++ || return 1
    mkdir -p "$work/cpp"
    protoc -I "$here/peers" --cpp_out="$work/cpp" --grpc_out="$work/cpp" \
      --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" peer.proto
    # shellcheck disable=SC2046
    g++ -O2 -std=c++17 -I"$work/cpp" "$here/peers/cpp/peer.cc" "$work"/cpp/*.cc -o "$work/peer-cpp" \
      $(pkg-config --cflags --libs grpc++ protobuf)
  fi
}
run_cpp() { exec "$work/peer-cpp" "$1"; }

build_go() {
  if [ ! -x "$work/peer-go" ]; then
    has go && has protoc-gen-go && has protoc-gen-go-grpc && [ -d /usr/share/gocode/src/google.golang.org/grpc ] || return 1
    mkdir -p "$work/go/src/ingest/peer" "$work/go/src/ingest/main"
    protoc -I "$here/peers" --go_out="$work/go/src" --go-grpc_out="$work/go/src" peer.proto
    cp "$here/peers/go/main.go" "$work/go/src/ingest/main"
    GO111MODULE=off GOPATH="$work/go:/usr/share/gocode" GOCACHE="$work/go/cache" go build -o "$work/peer-go" ingest/main
  fi
}
run_go() { exec "$work/peer-go" "$1"; }

# Where node finds grpc-js.
build_node() { has node && [ -d "$root/tests/Foreign/node_modules/@grpc/grpc-js" ] && link_node peers/node/peer.mjs; }
link_node() {
  mkdir -p "$work/node"
  ln -sfn "$root/tests/Foreign/node_modules" "$work/node/node_modules"
  cp "$here/$1" "$work/node/"
}
run_node() { exec node "$work/node/peer.mjs" "$1" "$here/peers/peer.proto"; }

build_python() {
  "$python" -c 'import grpc' 2>/dev/null && has grpc_python_plugin || return 1
  mkdir -p "$work/python"
  protoc -I "$here/peers" --python_out="$work/python" --grpc_out="$work/python" \
    --plugin=protoc-gen-grpc="$(command -v grpc_python_plugin)" peer.proto
}
run_python() { PYTHONPATH=$work/python exec "$python" "$here/peers/python/peer.py" "$1"; }

# ---- measuring ----

ticks() {
  local pid sum=0
  for pid; do sum=$((sum + $(awk '{print $14 + $15}' "/proc/$pid/stat"))); done
  echo "$sum"
}

wait_for() { for _ in $(seq 300); do (: >"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.1; done; return 1; }

body_of() {
  local file=$work/body-$1-$2.bin
  [ -s "$file" ] || python3 "$here/body.py" "$file" "$2" "$1"
  echo "$file"
}

# load PORT POINTS_PER_MESSAGE POINTS STREAMS: says how many streams were answered with accepted_count = POINTS and OK.
load() {
  local length
  length=$(awk -v p="$3" 'BEGIN {n = 1; while (p >= 128) {p = int(p / 128); n++} print 6 + n}')
  h2load -n "$4" -c 2 -m 1 -t 1 -w 24 -W 26 -d "$(body_of "$2" "$3")" -H 'content-type: application/grpc' \
    -H 'te: trailers' "http://127.0.0.1:$1/ingest.v1.IngestService/StreamGpsPoints" 2>&1 |
    awk -v l="$length" '/^requests:/ {ok = $8} /^traffic:/ {match($0, /\([0-9]+\) data/); d = substr($0, RSTART + 1) + 0}
      END {print (d == ok * l) ? ok : 0}'
}

# measure NAME PORT POINTS_PER_MESSAGE POINTS STREAMS PID...
measure() {
  local name=$1 port=$2 per=$3 count=$4 streams=$5 before after begin end ok
  shift 5
  before=$(ticks "$@") begin=$(date +%s.%N)
  ok=$(load "$port" "$per" "$count" "$streams")
  [ -z "${settle:-}" ] || wait_rows "$settle" "$table" "$((ok * count))"
  end=$(date +%s.%N) after=$(ticks "$@")
  awk -v n="$name" -v per="$per" -v t="$(echo "$end $begin" | awk '{print $1 - $2}')" -v c=$((after - before)) \
    -v p="$count" -v ok="$ok" -v s="$streams" 'BEGIN {
      c = c < 1 ? 1 : c
      printf "%-9s %5d points/message  %d/%d streams ok  %8.3f M points/s  %8.3f M points per CPU second\n",
        n, per, ok, s, ok * p / t / 1e6, ok * p * 100 / c / 1e6 }'
}

start_ours() {
  [ -n "${built:-}" ] || dotnet build -c Release --nologo -v q "$root/src/Server" >/dev/null
  built=1
  dotnet "$root/src/Server/bin/Release/net10.0/Ingest.Server.dll" --Ingest:DataDirectory="$data/ours" \
    --Ingest:GrpcPort="$1" --Ingest:HttpPort=$(($1 + 1)) "${@:2}" >"$data/ours.txt" 2>&1 &
  pids+=($!) ours=$!
  wait_for "$1"
}

# ---- servers that decode and drop ----

decode() {
  local port=7421 name names=() streams per count
  start_ours 7411 --Ingest:Store:Kind=null --Ingest:Log:Enabled=false
  declare -A pid_of port_of
  pid_of[ours]=$ours port_of[ours]=7411
  for name; do
    if "build_$name"; then
      "run_$name" $port >"$data/$name.txt" 2>&1 &
      pids+=($!)
      if wait_for $port; then
        pid_of[$name]=${pids[-1]} port_of[$name]=$port names+=("$name")
      else
        echo "$name did not start: $(tail -n 3 "$data/$name.txt")"
      fi
      port=$((port + 1))
    else
      echo "$name cannot be built here; left out."
    fi
  done

  for per in 1000 1; do
    count=$((per == 1 ? points / 5 : points))
    for name in ours "${names[@]}"; do
      load "${port_of[$name]}" "$per" "$((count / 5))" 2 >/dev/null # Warm up.
    done
    load 7411 "$per" "$count" 16 >/dev/null
    for _ in $(seq "$rounds"); do
      for name in ours "${names[@]}"; do
        case $name in node | python) streams=2 ;; *) streams=8 ;; esac
        measure "$name" "${port_of[$name]}" "$per" "$count" "$streams" "${pid_of[$name]}"
      done
    done
  done | tee "$work/decode.txt"
  echo
  summary "$work/decode.txt"
  kill "${pid_of[@]}" 2>/dev/null || true
}

# Of each name the median of its rounds, and ours divided by it.
summary() {
  awk '{value[$2, $1, ++n[$2, $1]] = $(NF - 5); speed[$2, $1, n[$2, $1]] = $(NF - 9); names[$1]; pers[$2]}
    function median(per, name, i, j, t, k) {
      k = n[per, name]
      for (i = 1; i <= k; i++) a[i] = value[per, name, i]
      for (i = 1; i <= k; i++) for (j = i + 1; j <= k; j++) if (a[j] < a[i]) { t = a[i]; a[i] = a[j]; a[j] = t }
      return a[int((k + 1) / 2)]
    }
    END {
      for (per in pers) {
        ours = median(per, "ours")
        for (name in names) if (n[per, name]) {
          m = median(per, name); low = high = value[per, name, 1]
          for (i = 1; i <= n[per, name]; i++) { v = value[per, name, i]; low = v < low ? v : low; high = v > high ? v : high }
          printf "%-9s %5d points/message: %8.3f M points per CPU second (%.3f to %.3f); ours is %.1f times that\n",
            name, per, m, low, high, ours / m
        }
      }
    }' "$1" | sort -k2,2nr -k5,5nr
}

# ---- all the way into ClickHouse ----

sql() { curl -sS --data-binary "$2" "$1"; }
merges_idle() {
  while [ "$(sql "$1" "SELECT count() FROM system.merges")" != 0 ]; do sleep 0.5; done
}
wait_rows() { # URL TABLE: until the table has what was sent and nothing merges any more
  stored=$((stored + $3))
  while [ "$(sql "$1" "SELECT count() FROM $2")" -lt "$stored" ]; do sleep 0.2; done
  sleep 2
  merges_idle "$1"
}

pipeline() {
  if ! has node || [ ! -d "$root/tests/Foreign/node_modules/@grpc/grpc-js" ]; then
    echo "pipeline: node or grpc-js is missing; left out."
    return
  fi
  local engine count=$((points / 2))
  engine=${INGEST_LIBCHDB:-$root/script/engine/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so}
  link_node pipeline/pipeline.mjs
  dotnet build -c Release --nologo -v q "$root/tests/StandIn" >/dev/null
  mkdir -p "$data/clickhouse"
  INGEST_LIBCHDB=$engine dotnet "$root/tests/StandIn/bin/Release/net10.0/Ingest.StandIn.dll" "$data/clickhouse" 7441 \
    < <(sleep infinity) >"$data/clickhouse.txt" 2>&1 &
  pids+=($!)
  local database=${pids[-1]} stored=0 table
  wait_for 7441
  sql http://127.0.0.1:7441/ "CREATE TABLE gps_points_json (driver_id LowCardinality(String), order_id String,
    location_lat Float64, location_lon Float64, speed_kph Float32, trip_stage UInt8, traffic_density UInt8,
    zone_type LowCardinality(String), timestamp DateTime64(6, 'UTC'), anomaly_flags Array(LowCardinality(String)))
    ENGINE = MergeTree ORDER BY (driver_id, timestamp)"
  node "$work/node/pipeline.mjs" 7442 "$here/peers/peer.proto" http://127.0.0.1:7441/ >"$data/pipeline.txt" 2>&1 &
  pids+=($!)
  local front=${pids[-1]}
  wait_for 7442
  INGEST_LIBCHDB=$engine start_ours 7443
  {
    for per in 1000 1; do
      for round in $(seq 0 "$rounds"); do
        for name in ours pipeline; do
          local port=7443 url=http://127.0.0.1:7444/sql of=("$ours")
          table=gps_points
          [ $name = ours ] || { port=7442 url=http://127.0.0.1:7441/ table=gps_points_json of=("$front" "$database"); }
          stored=$(sql $url "SELECT count() FROM $table")
          settle=$url
          if [ "$round" = 0 ]; then
            measure $name $port "$per" "$((count / 5))" 2 "${of[@]}" >/dev/null
          else
            measure $name $port "$per" "$count" 2 "${of[@]}"
          fi
          settle=
        done
      done
    done
  } | tee "$work/pipeline.txt"
  echo
  summary "$work/pipeline.txt"
}

names=("$@")
[ $# -gt 0 ] || names=(cpp go node python pipeline)
peers=()
for name in "${names[@]}"; do [ "$name" = pipeline ] || peers+=("$name"); done
echo "$(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
[ ${#peers[@]} = 0 ] || decode "${peers[@]}"
case " ${names[*]} " in *" pipeline "*) pipeline ;; esac
