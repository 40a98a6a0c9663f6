#!/usr/bin/env bash
# compare.sh [NAME...]
# The same client stream sent by h2load to this server and to peers of our own writing, in turn on one machine: points a
# second, points per CPU second, resident memory, as CSV and then least, median and most. Names, default all:
#   cpp go node python   servers that decode every point and drop it, against ours with Store:Kind=null and the log off
#   pipeline             what one would write otherwise: grpc-js, and INSERT ... FORMAT JSONEachRow into ClickHouse (the
#   pipeline-python      engine that is in ours, in a process of its own); the same in Python with grpcio. Against ours
#                        all the way into its embedded engine, until merges are idle; the database's CPU counts too
# Needs h2load, python3, and for peers protoc with grpc_cpp_plugin and g++, go with protoc-gen-go and -go-grpc and
# Debian's golang-google-grpc-dev, node with tests/Foreign installed, python3-grpcio. ROUNDS (3), POINTS (1000000), PER
# ("1000 1"), PORT (20100), PYTHON (/usr/bin/python3), CSV (where the CSV is kept), SERVER (a build of ours; then nothing
# is built).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${TMPDIR:-/tmp}/ingest-bench-compare
rounds=${ROUNDS:-3} points=${POINTS:-1000000} first=${PORT:-20100}
read -ra messages <<<"${PER:-1000 1}"
# Debian's grpcio is its own Python's, which need not be the first in PATH.
python=${PYTHON:-/usr/bin/python3}
# shellcheck source=bench/measuring.sh
. "$root/bench/measuring.sh"
needs h2load nghttp2-client
csv=${CSV:-$work/compare.csv}

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
    has go && has protoc-gen-go && has protoc-gen-go-grpc || return 1
    [ -d /usr/share/gocode/src/google.golang.org/grpc ] || return 1
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

# size NAME POINTS_PER_MESSAGE: points of a stream, and streams. Slow ones get a tenth of the same stream, and fewer.
size() {
  local count=$points
  [ "$2" != 1 ] || count=$((count / 5))
  case $1 in
    ours | cpp | go) echo "$count 8" ;;
    *) echo "$((count / 10)) 4" ;;
  esac
}

# measure NAME POINTS_PER_MESSAGE ROUND PORT PID...: sends, waits until `settled` says so, and writes a line of CSV.
# Round 0 warms up.
measure() {
  local name=$1 per=$2 round=$3 port=$4 count streams begin end before after ok
  shift 4
  read -r count streams < <(size "$name" "$per")
  before=$(ticks "$@") begin=$(date +%s.%N)
  ok=$(load "$port" "$(body_of "$per" "$count")" "$count" "$streams")
  end=$(date +%s.%N)
  settled "$name" $((ok * count))
  after=$(ticks "$@")
  if [ "$ok" != "$streams" ]; then
    echo "$name: $ok of $streams streams were answered as they should be: $(tail -n 3 "$data/$name"*.txt)" >&2
    return 1
  fi
  [ "$round" != 0 ] || return 0 # It has warmed up.
  awk -v p="$kind,$name,$per,$round" -v t="$(echo "$end $begin" | awk '{print $1 - $2}')" -v c=$((after - before)) \
    -v n=$((ok * count)) -v rss="$(resident "$@")" 'BEGIN {
      printf "%s,%.4f,%.4f,%.3f,%d\n", p, n / t / 1e6, n * 100 / c / 1e6, c / 100 / n * 1e6, rss }' | tee -a "$csv"
}

# ---- servers that decode and drop ----

decode() {
  local port=$first name names=() per round
  kind=decode
  settled() { :; }
  declare -A pid_of port_of
  start_ours "$port" --Ingest:Store:Kind=null --Ingest:Log:Enabled=false
  pid_of[ours]=$ours port_of[ours]=$port names=(ours)
  port=$((port + 2))
  for name; do
    if ! "build_$name"; then
      echo "$name cannot be built here; left out." >&2
      continue
    fi
    "run_$name" "$port" >"$data/$name.txt" 2>&1 &
    pids+=($!)
    if wait_for "$port"; then
      pid_of[$name]=${pids[-1]} port_of[$name]=$port names+=("$name")
    else
      echo "$name did not start: $(tail -n 3 "$data/$name.txt")" >&2
    fi
    port=$((port + 1))
  done
  for per in "${messages[@]}"; do
    for round in $(seq 0 "$rounds"); do
      for name in "${names[@]}"; do
        measure "$name" "$per" "$round" "${port_of[$name]}" "${pid_of[$name]}"
      done
    done
  done
  for name in "${names[@]}"; do stop "${pid_of[$name]}"; done
}

# ---- all the way into ClickHouse ----

sql() { curl -sS --fail-with-body --data-binary "$2" "$1"; }

# The table with a pipeline's rows has no codecs and no columns of ours.
create_table() {
  sql "$1" "CREATE TABLE gps_points_json (driver_id String, order_id String, location_lat Float64, location_lon Float64,
    speed_kph Float32, trip_stage UInt8, traffic_density UInt8, zone_type LowCardinality(String),
    timestamp DateTime64(6, 'UTC'), anomaly_flags Array(LowCardinality(String)))
    ENGINE = MergeTree ORDER BY (driver_id, timestamp)"
}

build_pipeline() { build_node && link_node pipeline/pipeline.mjs; }
run_pipeline() { exec node "$work/node/pipeline.mjs" "$1" "$here/peers/peer.proto" "$2"; }
build_pipeline-python() { build_python; }
run_pipeline-python() { PYTHONPATH=$work/python exec "$python" "$here/pipeline/pipeline.py" "$1" "$2"; }

pipelines() {
  local name names=(ours) port=$((first + 20)) per round engine
  kind=stored
  engine=${INGEST_LIBCHDB:-$("$root/script/install" engine)}
  declare -A pids_of port_of url_of table_of rows_of
  INGEST_LIBCHDB=$engine start_ours "$port"
  pids_of[ours]=$ours port_of[ours]=$port url_of[ours]=http://127.0.0.1:$((port + 1))/sql
  table_of[ours]=gps_points rows_of[ours]=0
  port=$((port + 2))
  for name; do
    if ! "build_$name"; then
      echo "$name cannot be built here; left out." >&2
      continue
    fi
    mkdir -p "$data/$name"
    INGEST_LIBCHDB=$engine dotnet "$root/tests/StandIn/bin/Release/net10.0/Ingest.StandIn.dll" "$data/$name" "$port" \
      < <(sleep infinity) >"$data/$name-database.txt" 2>&1 &
    pids+=($!)
    pids_of[$name]=$! url_of[$name]=http://127.0.0.1:$port/ table_of[$name]=gps_points_json rows_of[$name]=0
    wait_for "$port"
    create_table "${url_of[$name]}"
    "run_$name" $((port + 1)) "${url_of[$name]}" >"$data/$name.txt" 2>&1 &
    pids+=($!)
    pids_of[$name]+=" $!" port_of[$name]=$((port + 1))
    wait_for $((port + 1))
    names+=("$name")
    port=$((port + 2))
  done

  # Until the table has all that was sent and nothing merges any more.
  settled() {
    local url=${url_of[$1]}
    rows_of[$1]=$((rows_of[$1] + $2))
    for _ in $(seq 300); do
      [ "$(sql "$url" "SELECT count() FROM ${table_of[$1]}")" -lt "${rows_of[$1]}" ] || break
      sleep 0.2
    done
    if [ "$(sql "$url" "SELECT count() FROM ${table_of[$1]}")" != "${rows_of[$1]}" ]; then
      echo "$1 lacks rows" >&2
      return 1
    fi
    sleep 1
    while [ "$(sql "$url" "SELECT count() FROM system.merges")" != 0 ]; do sleep 0.5; done
  }

  for per in "${messages[@]}"; do
    for round in $(seq 0 "$rounds"); do
      for name in "${names[@]}"; do
        read -ra of <<<"${pids_of[$name]}"
        measure "$name" "$per" "$round" "${port_of[$name]}" "${of[@]}"
      done
    done
  done
}

names=("$@")
[ $# -gt 0 ] || names=(cpp go node python pipeline pipeline-python)
peers=() rivals=()
for name in "${names[@]}"; do
  case $name in pipeline*) rivals+=("$name") ;; *) peers+=("$name") ;; esac
done
[ -n "${SERVER:-}" ] || "$root/script/build" src/Server
[ ${#rivals[@]} = 0 ] || [ -n "${SERVER:-}" ] || "$root/script/build" tests/StandIn
machine
echo "kind,name,points_per_message,round,mps,mpcs,cpu_s_per_m,rss_mib" | tee "$csv"
[ ${#peers[@]} = 0 ] || decode "${peers[@]}"
[ ${#rivals[@]} = 0 ] || pipelines "${rivals[@]}"
echo
python3 "$here/summary.py" "$csv"
