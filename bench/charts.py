"""Draws the charts of bench/results from their CSV files, with the standard library alone: charts.py DIRECTORY

Text and lines are grey and lines of data are of colours that can be told apart on white and on black.
"""
import csv
import math
import os
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 340, 64, 20, 44, 52
GREY, COLOURS = "#808890", ("#2f81d8", "#d9822b", "#2e9e5b", "#b455c9")


def read(path):
    with open(path) as file:
        return list(csv.DictReader(file))


def ticks(most, count=5):
    step = 10 ** math.floor(math.log10(most / count))
    step = next(step * m for m in (1, 2, 5, 10) if step * m * count >= most)
    return [i * step for i in range(math.ceil(most / step) + 1)]


class Chart:
    def __init__(self, title, x_title, y_title, logarithmic=False):
        self.title, self.x_title, self.y_title, self.logarithmic = title, x_title, y_title, logarithmic
        self.series = []

    def add(self, name, points):
        """Points are (x, least, median, most)."""
        self.series.append((name, sorted(points)))

    def place(self, x):
        return math.log10(x) if self.logarithmic else x

    def draw(self):
        xs = sorted({x for _, points in self.series for x, *_ in points})
        y_ticks = ticks(max(most for _, points in self.series for *_, most in points))
        first, last = (self.place(xs[0]), self.place(xs[-1])) if self.logarithmic else (0, xs[-1])
        if first == last:
            last += 1
        inner_width, inner_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        at_x = lambda x: LEFT + (self.place(x) - first) / (last - first) * inner_width
        at_y = lambda y: TOP + (1 - y / y_ticks[-1]) * inner_height
        out = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
            f'font-family="system-ui, sans-serif" font-size="12" fill="{GREY}" role="img" aria-label="{self.title}">',
            f'<text x="{LEFT}" y="18" font-size="14" font-weight="600">{self.title}</text>',
        ]
        for y in y_ticks:
            out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at_y(y):.1f}" y2="{at_y(y):.1f}" stroke="{GREY}" '
                       f'stroke-opacity="{0.6 if y == 0 else 0.25}"/>')
            out.append(f'<text x="{LEFT - 8}" y="{at_y(y) + 4:.1f}" text-anchor="end">{y:g}</text>')
        for x in xs if self.logarithmic or len(xs) <= 8 else ticks(xs[-1])[:-1] + [xs[-1]]:
            out.append(f'<text x="{at_x(x):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{x:g}</text>')
        out.append(f'<text x="{LEFT + inner_width / 2}" y="{HEIGHT - 12}" text-anchor="middle">{self.x_title}</text>')
        out.append(f'<text x="16" y="{TOP + inner_height / 2}" text-anchor="middle" '
                   f'transform="rotate(-90 16 {TOP + inner_height / 2})">{self.y_title}</text>')
        legend = WIDTH - RIGHT
        for i, (name, points) in reversed(list(enumerate(self.series))):
            colour = COLOURS[i]
            for x, least, _, most in points:
                if most > least:
                    out.append(f'<line x1="{at_x(x):.1f}" x2="{at_x(x):.1f}" y1="{at_y(least):.1f}" y2="{at_y(most):.1f}" '
                               f'stroke="{colour}" stroke-opacity="0.5" stroke-width="4"/>')
            line = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, _, y, _ in points)
            out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
            for x, _, y, _ in points:
                out.append(f'<circle cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="3" fill="{colour}"/>')
            if len(self.series) > 1:
                out.append(f'<text x="{legend}" y="36" text-anchor="end" fill="{colour}">{name}</text>')
                legend -= 7 * len(name) + 20
        return "\n".join(out + ["</svg>", ""])


def spread(rows, x, y, scale=1):
    """(x, least, median, most) of each x."""
    groups = {}
    for row in rows:
        groups.setdefault(float(row[x]), []).append(float(row[y]) * scale)
    return [(at, min(v), sorted(v)[(len(v) - 1) // 2], max(v)) for at, v in groups.items()]


def throughput(rows, of, x, title, x_title, logarithmic=True):
    chart = Chart(title, x_title, "M points", logarithmic)
    of = [row for row in rows if row["chart"] == of]
    chart.add("a second", spread(of, x, "mps"))
    chart.add("per CPU second of the server", spread(of, x, "mpcs"))
    return chart


def main(directory):
    charts = {}
    rows = read(os.path.join(directory, "throughput.csv"))
    charts["batch-size"] = throughput(
        rows, "batch", "points_per_message", "Acknowledged durable, by points a message", "points a message, 8 streams")
    charts["streams"] = throughput(rows, "streams", "streams", "Acknowledged durable, by streams",
                                   "streams at once, 1000 points a message")
    charts["cores"] = throughput(rows, "cores", "cores", "Acknowledged durable, by cores of the server",
                                 "cores of the server, of two that the generator uses too", logarithmic=False)
    path = os.path.join(directory, "table-size.csv")
    if os.path.exists(path):
        rows = read(path)
        cost = Chart("What a million rows cost, by the size of the table", "million rows in the table",
                     "CPU s a million, merges included")
        cost.add("CPU seconds a million rows", spread(rows, "table_m", "cpu_s_per_m"))
        charts["table-size-cost"] = cost
        parts = Chart("Active parts, by the size of the table", "million rows in the table", "active parts, merges idle")
        parts.add("parts", spread(rows, "table_m", "parts"))
        charts["table-size-parts"] = parts
    path = os.path.join(directory, "flat.csv")
    if os.path.exists(path):
        memory = Chart("Resident memory under load", "seconds", "MiB")
        memory.add("resident", spread(read(path), "seconds", "resident_mib"))
        charts["flat"] = memory
        growth = Chart("What a million rows cost under load, by the size of the table", "million rows in the table",
                       "CPU s a million, merges beside it included")
        growth.add("CPU seconds", spread(read(os.path.join(directory, "growth.csv")), "table_m", "cpu_s_per_m"))
        charts["growth"] = growth
    for name, chart in charts.items():
        with open(os.path.join(directory, name + ".svg"), "w") as file:
            file.write(chart.draw())
        print(os.path.join(directory, name + ".svg"))


main(sys.argv[1])
