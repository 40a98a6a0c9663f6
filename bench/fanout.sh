#!/usr/bin/env bash
# fanout.sh [OPTIONS...]
# One topic to 1, 100, 1,000 and 10,000 subscribers: this server, nats-server (Debian's package) and a Node broadcaster
# with the npm package ws, one after the other on this machine, with the same client. Prints tables; --help has options.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
command -v nats-server >/dev/null || { echo "nats-server is missing: apt-get install nats-server" >&2; exit 1; }
"$root/script/install" "$root/bench/Fanout" >/dev/null
dotnet build -c Release --nologo -v q "$root/bench/Fanout" >/dev/null
# Two sockets a subscriber on this machine, one in each process.
ulimit -n 20000 || true
exec dotnet "$root/bench/Fanout/bin/Release/net10.0/Ingest.Fanout.dll" --modules "$root/bench/Fanout" "$@"
