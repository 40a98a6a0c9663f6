#!/usr/bin/env bash
# Sourced by the measurements of a whole server, which share it. Needs `root`, the checkout, and `work`, a directory
# that is kept. Streams are sent by h2load: C, cheap, nobody's peer.

: "${root:?}" "${work:?}"
mkdir -p "$work"
pids=()
data=$(mktemp -d -p "${DATA_PARENT:-/tmp}")
cleanup() {
  [ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$data"
}
trap cleanup EXIT

has() { command -v "$1" >/dev/null; }
needs() { has "$1" || { echo "$1 is missing: Debian's $2 has it." >&2; exit 2; }; }

# machine: what it is, and how busy before anything was measured.
machine() {
  echo "$(date -u +%F) $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) cores," \
    "load $(cut -d' ' -f1 /proc/loadavg)"
}

# ticks PID...: hundredths of a second of CPU, user and system.
ticks() {
  local pid sum=0
  for pid; do sum=$((sum + $(awk '{print $14 + $15}' "/proc/$pid/stat"))); done
  echo "$sum"
}

# resident PID...: MiB.
resident() {
  local pid sum=0
  for pid; do sum=$((sum + $(awk '/^VmRSS/ {print $2}' "/proc/$pid/status"))); done
  echo $((sum / 1024))
}

wait_for() {
  for _ in $(seq 300); do (: >"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.1; done
  return 1
}

# body_of POINTS_PER_MESSAGE POINTS [FORM [DRIVERS]]: the file of a client stream.
body_of() {
  local file=$work/body-$1-$2-${3:-rows}-${4:-5000}.bin
  if [ ! -s "$file" ]; then
    python3 "$root/bench/compare/body.py" "$file.new" "$2" "$1" "${3:-rows}" "${4:-5000}"
    mv "$file.new" "$file"
  fi
  echo "$file"
}

# load PORT BODY POINTS STREAMS [CONNECTIONS [AT_ONCE]]: sends so many streams, over so many connections with so many
# at once on each, and says how many were answered with accepted_count = POINTS and nothing else.
load() {
  local length
  length=$(awk -v p="$3" 'BEGIN {n = 1; while (p >= 128) {p = int(p / 128); n++} print 6 + n}')
  h2load -n "$4" -c "${5:-2}" -m "${6:-1}" -t 1 -w 24 -W 26 -d "$2" -H 'content-type: application/grpc' -H 'te: trailers' \
    "http://127.0.0.1:$1/ingest.v1.IngestService/StreamGpsPoints" 2>&1 |
    awk -v l="$length" '/^requests:/ {ok = $8} /^traffic:/ {match($0, /\([0-9]+\) data/); d = substr($0, RSTART + 1) + 0}
      END {print (d == ok * l) ? ok : 0}'
}

# start_ours PORT [SETTING...]: this server, built before, on PORT and the next for HTTP; its process is $ours.
# SERVER names another build's Ingest.Server.dll; TASKSET the cores it may use.
start_ours() {
  local server=${SERVER:-$root/src/Server/bin/Release/net10.0/Ingest.Server.dll} directory
  directory=$(mktemp -d -p "$data")
  ${TASKSET:+taskset -c "$TASKSET"} dotnet "$server" --Ingest:DataDirectory="$directory" --Ingest:GrpcPort="$1" \
    --Ingest:HttpPort=$(($1 + 1)) "${@:2}" >"$data/ours.txt" 2>&1 &
  ours=$!
  pids+=("$ours")
  wait_for "$1" || { echo "the server did not start: $(tail -n 3 "$data/ours.txt")" >&2; return 1; }
}

stop() { kill "$1" 2>/dev/null || true; wait "$1" 2>/dev/null || true; }
