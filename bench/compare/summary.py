"""Least, median and most of each server of compare.sh, and ours divided by it: summary.py FILE"""
import csv
import statistics
import sys


def spread(values):
    return " / ".join(f"{v:.3g}" for v in (min(values), statistics.median(values), max(values)))


def main(path):
    with open(path) as file:
        rows = list(csv.DictReader(file))
    groups = {}
    for row in rows:
        groups.setdefault((row["kind"], int(row["points_per_message"]), row["name"]), []).append(row)
    print("| until | points a message | server | M points/s | M points per CPU second | CPU s a million | RSS MiB "
          "| ours is, per CPU second |")
    print("|" + "---|" * 8)
    for (kind, per, name), of in groups.items():
        ours = [float(row["mpcs"]) for row in groups[kind, per, "ours"]]
        cpu = [float(row["mpcs"]) for row in of]
        ratio = statistics.median(ours) / statistics.median(cpu)
        print(f"| {kind} | {per} | {name} | {spread([float(r['mps']) for r in of])} | {spread(cpu)} "
              f"| {spread([float(r['cpu_s_per_m']) for r in of])} | {max(int(r['rss_mib']) for r in of)} "
              f"| {'' if name == 'ours' else f'{ratio:.1f} x'} |")


main(sys.argv[1])
