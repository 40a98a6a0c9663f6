#!/usr/bin/env bash
# charts.sh [throughput|table-size|draw]... (default: all three)
# Measures, and draws the charts of bench/results/<cpu>/ from the CSV files beside them; `draw` alone measures nothing.
#   throughput   points acknowledged durable (log on, fsync'd; the store takes and drops) against points a message, streams
#                at once, and cores of the server; h2load sends on the same two cores
#   table-size   rows into the embedded engine until the table has ROWS_M million (200), in steps of STEP_M (10): CPU of the
#                server a million rows until merges are idle, and active parts
# ROUNDS (2), PORT (20200), OUT (bench/results/amd-epyc), ROWS_M, STEP_M, DATA_PARENT (/tmp: where the data goes).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=${TMPDIR:-/tmp}/ingest-bench-compare
rounds=${ROUNDS:-2} port=${PORT:-20200} out=${OUT:-$root/bench/results/amd-epyc}
# shellcheck source=bench/measuring.sh
. "$root/bench/measuring.sh"
mkdir -p "$out"

# round CHART POINTS_PER_MESSAGE AT_ONCE CORES POINTS STREAMS: sends over up to four connections, and writes a line of
# CSV.
round() {
  local connections=$(($3 < 4 ? $3 : 4)) begin end before after ok
  local body
  body=$(body_of "$2" "$5")
  before=$(ticks "$ours") begin=$(date +%s.%N)
  ok=$(load "$port" "$body" "$5" "$6" "$connections" $(($3 / connections)))
  end=$(date +%s.%N) after=$(ticks "$ours")
  [ "$ok" = "$6" ] || { echo "$1 $2 $3: $ok of $6 streams ok" >&2; return 1; }
  echo "$begin $end $((after - before)) $(($5 * $6))" | awk -v p="$1,$2,$3,$4" \
    '{printf "%s,%.3f,%.3f\n", p, $4 / ($2 - $1) / 1e6, $4 * 100 / $3 / 1e6}' | tee -a "$out/throughput.csv"
}

throughput() {
  local per streams cores count sent
  echo "chart,points_per_message,streams,cores,mps,mpcs" | tee "$out/throughput.csv"
  for cores in 1 2; do
    TASKSET=$(seq -s, 0 $((cores - 1))) start_ours "$port" --Ingest:Store:Kind=null
    load "$port" "$(body_of 1000 1000000)" 1000000 8 >/dev/null # Warm up.
    for _ in $(seq "$rounds"); do
      round cores 1000 8 "$cores" 1000000 8
      [ "$cores" = 2 ] || continue
      for per in 1 10 100 1000 5000; do
        count=1000000 sent=8
        [ "$per" != 1 ] || count=200000 sent=16
        round batch "$per" 8 2 "$count" "$sent"
      done
      for streams in 1 2 4 8 16 32 64; do
        round streams 1000 "$streams" 2 200000 64
      done
    done
    stop "$ours"
  done
}

sql() { curl -sS --fail-with-body --data-binary "$1" "http://127.0.0.1:$((port + 1))/sql"; }

table_size() {
  local rows=0 step=${STEP_M:-10} most=${ROWS_M:-200} before body begin sent
  export INGEST_LIBCHDB=${INGEST_LIBCHDB:-$("$root/script/install" engine)}
  start_ours "$port"
  body=$(body_of 1000 1000000)
  load "$port" "$body" 1000000 2 >/dev/null # Warm up; its rows are in the table, too.
  echo "table_m,cpu_s_per_m,acknowledged_mps,seconds_until_idle,parts,rss_mib,disk_mib" | tee "$out/table-size.csv"
  while [ "$rows" -lt "$most" ]; do
    before=$(ticks "$ours") begin=$(date +%s.%N)
    [ "$(load "$port" "$body" 1000000 "$step")" = "$step" ] || { echo "streams failed" >&2; return 1; }
    sent=$(date +%s.%N)
    rows=$((rows + step))
    until [ "$(sql "SELECT count() FROM gps_points")" -ge $(((rows + 2) * 1000000)) ]; do sleep 0.2; done
    until [ "$(sql "SELECT count() FROM system.merges")" = 0 ]; do sleep 0.2; done
    echo "$rows $begin $sent $(date +%s.%N) $(($(ticks "$ours") - before)) $step $(resident "$ours") $(
      sql "SELECT count(), intDiv(sum(bytes_on_disk), 1048576) FROM system.parts WHERE active AND table = 'gps_points'")" |
      awk '{printf "%d,%.3f,%.2f,%.1f,%d,%d,%d\n", $1 + 2, $5 / 100 / $6, $6 / ($3 - $2), $4 - $2, $8, $7, $9}' |
      tee -a "$out/table-size.csv"
  done
  stop "$ours"
}

[ $# -gt 0 ] || set -- throughput table-size draw
for what; do
  case $what in
    throughput | table-size)
      needs h2load nghttp2-client
      [ -n "${SERVER:-}" ] || "$root/script/build" src/Server
      machine
      "${what/-/_}"
      ;;
    draw) python3 "$root/bench/charts.py" "$out" ;;
    *) echo "usage: charts.sh [throughput|table-size|draw]..." >&2; exit 2 ;;
  esac
done
