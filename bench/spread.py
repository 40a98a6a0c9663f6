"""Least, median and most of columns of a CSV file, group by group: spread.py GROUP_COLUMN COLUMN... < FILE"""
import csv
import statistics
import sys


def main(group, *columns):
    rows = list(csv.DictReader(sys.stdin))
    print(f"| {group} | rounds | " + " | ".join(f"{column}: least, median, most" for column in columns) + " |")
    print("|" + "---|" * (2 + len(columns)))
    for name in dict.fromkeys(row[group] for row in rows):
        of = [row for row in rows if row[group] == name]
        cells = []
        for column in columns:
            values = [float(row[column]) for row in of]
            cells.append(" / ".join(f"{v:g}" for v in (min(values), round(statistics.median(values), 3), max(values))))
        print(f"| {name} | {len(of)} | " + " | ".join(cells) + " |")


main(*sys.argv[1:])
