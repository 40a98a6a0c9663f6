#!/usr/bin/env bash
# referee.sh COMPARE_SH [RUNS]
# The shared referee (its compare.sh: h2load, and a gRPC C++ server that decodes and drops) against this server with
# Store:Kind=null and the log off, warm: 1000 and 1 points a message, and the same points as columns against the peer's
# rows. A server of its own for each form and run, 16 streams a round, three rounds a run. Prints each round as CSV,
# then of each form the least, the median and the most. PORT (20000).
set -euo pipefail
referee=$(realpath "${1:?usage: referee.sh COMPARE_SH [RUNS]}") runs=${2:-5}
root=$(cd "$(dirname "$0")/.." && pwd)
work=${TMPDIR:-/tmp}/ingest-referee
# shellcheck source=bench/measuring.sh
. "$root/bench/measuring.sh"
needs h2load nghttp2-client
port=${PORT:-20000}
[ -n "${SERVER:-}" ] || "$root/script/build" src/Server
rows=$(body_of 1000 1000000)
ones=$(body_of 1 200000)
distinct=$(body_of 1000 1000000 columns)
repeated=$(body_of 1000 1000000 columns 50)
repeated_rows=$(body_of 1000 1000000 rows 50)

csv() { tee -a "$work/referee.csv"; }

# rows FORM POINTS_PER_MESSAGE POINTS: three rounds by the referee's own script.
by_referee() {
  local out=$work/round.txt
  # It wants its files beside it.
  (cd "$(dirname "$referee")" && TMPDIR=$work ./"$(basename "$referee")" "127.0.0.1:$port" "$ours" "$2" "$3" 16 2) >"$out"
  awk -v run="$run" -v form="$1" -v rss="$(resident "$ours")" '/^(peer|server)/ {
      if ($2 != "16/16") { print "streams failed: " $0 >"/dev/stderr"; exit 1 }
      rate[$1, ++n[$1]] = $5; cpu[$1, n[$1]] = $8 }
    END { for (i = 1; i <= n["peer"]; i++) printf "%d,%s,%d,%s,%s,%s,%s,%.2f,%d\n", run, form, i, rate["peer", i], cpu["peer", i],
      rate["server", i], cpu["server", i], cpu["server", i] / cpu["peer", i], rss }' "$out" | csv
}

# timed PORT PID BODY: M points a second and per CPU second of 16 streams of a million.
timed() {
  local begin end before after ok
  before=$(ticks "$2") begin=$(date +%s.%N)
  ok=$(load "$1" "$3" 1000000 16)
  end=$(date +%s.%N) after=$(ticks "$2")
  [ "$ok" = 16 ] || { echo "$ok of 16 streams ok" >&2; return 1; }
  echo "$begin $end $((after - before))" | awk '{printf "%.2f %.2f\n", 16 / ($2 - $1), 1600 / $3}'
}

# columns FORM BODY PEER_BODY: the same for columns, which the peer does not know; the referee has compiled it before.
columns() {
  local peer round theirs mine
  "$work/ingest-compare/peer" 7399 >/dev/null 2>&1 &
  peer=$!
  pids+=("$peer")
  wait_for 7399
  load 7399 "$3" 1000000 2 >/dev/null
  for round in 1 2 3; do
    theirs=$(timed 7399 "$peer" "$3")
    mine=$(timed "$port" "$ours" "$2")
    echo "$theirs $mine" | awk -v p="$run,$1,$round" -v rss="$(resident "$ours")" \
      '{printf "%s,%s,%s,%s,%s,%.2f,%d\n", p, $1, $2, $3, $4, $4 / $2, rss}' | csv
  done
  stop "$peer"
}

# with BODY POINTS: a server that is warm.
with() {
  start_ours "$port" --Ingest:Store:Kind=null --Ingest:Log:Enabled=false
  load "$port" "$rows" 1000000 16 >/dev/null
  [ "$1" = "$rows" ] || load "$port" "$1" "$2" 16 >/dev/null
}

machine
: >"$work/referee.csv"
echo "run,form,round,peer_mps,peer_mpcs,ours_mps,ours_mpcs,ratio,rss_mib" | csv
for run in $(seq "$runs"); do
  with "$rows" 1000000 && by_referee rows-1000 1000 1000000
  stop "$ours"
  with "$ones" 200000 && by_referee rows-1 1 200000
  stop "$ours"
  with "$distinct" 1000000 && columns columns-distinct "$distinct" "$rows"
  stop "$ours"
  with "$repeated" 1000000 && columns columns-50-drivers "$repeated" "$repeated_rows"
  stop "$ours"
done
echo
python3 "$root/bench/spread.py" form peer_mpcs ours_mpcs ratio rss_mib <"$work/referee.csv"
