"""Writes the client stream that every server gets: body.py FILE POINTS POINTS_PER_MESSAGE [rows|columns [DRIVERS]]

5,000 drivers (or DRIVERS) in turn, each on an order, values from a fixed seed; gRPC frames, uncompressed. As columns,
strings that repeat within a message have a dictionary, and those that do not are sent one by one. Rows of 5,000 drivers
are the shared referee's, byte for byte.
"""
import random
import struct
import sys


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(content)) + content


def number(number, value):
    return varint(number << 3) + varint(value)


def values(i, drivers, rng):
    driver = i % drivers
    lat, lon = -23.55 + rng.uniform(-0.1, 0.1), -46.63 + rng.uniform(-0.1, 0.1)
    seconds, nanos = 1790000000 + i // 5000, i % 5000 * 200000
    return (f"driver_{driver}", f"order_{driver * 7 + i // 50000}", lat, lon, rng.uniform(0, 60), 1 + i % 4, 1 + i % 3,
            "business_district", seconds, nanos)


def row(point):
    driver, order, lat, lon, speed, stage, density, zone, seconds, nanos = point
    return field(1, (
        field(1, driver)
        + field(2, order)
        + field(3, b"\x09" + struct.pack("<d", lat) + b"\x11" + struct.pack("<d", lon))
        + b"\x25" + struct.pack("<f", speed)
        + number(5, stage)
        + number(6, density)
        + field(7, zone)
        + field(8, number(1, seconds) + number(2, nanos))
    ))


def rows(points):
    return b"".join(map(row, points))


def text(strings):
    distinct = list(dict.fromkeys(strings))
    if len(distinct) > len(strings) // 2:
        return b"".join(field(3, value) for value in strings)
    places = {value: place for place, value in enumerate(distinct)}
    return b"".join(field(1, value) for value in distinct) + field(2, b"".join(varint(places[s]) for s in strings))


def columns(points):
    driver, order, lat, lon, speed, stage, density, zone, seconds, nanos = zip(*points)
    micros = [s * 1_000_000 + n // 1000 for s, n in zip(seconds, nanos)]
    deltas = [after - before for before, after in zip(micros, micros[1:])]
    return field(2, (
        number(1, len(points))
        + field(2, text(driver))
        + field(3, text(order))
        + field(4, struct.pack(f"<{len(lat)}d", *lat))
        + field(5, struct.pack(f"<{len(lon)}d", *lon))
        + field(6, struct.pack(f"<{len(speed)}f", *speed))
        + field(7, bytes(stage))
        + field(8, bytes(density))
        + field(9, text(zone))
        + field(10, b"\x09" + struct.pack("<q", micros[0])
                + field(2, b"".join(varint(d << 1 ^ d >> 63) for d in deltas)))
    ))


def main(path, points, per, form="rows", drivers="5000"):
    points, per, drivers, rng = int(points), int(per), int(drivers), random.Random(7)
    message = {"rows": rows, "columns": columns}[form]
    with open(path, "wb") as out:
        for first in range(0, points, per):
            body = message([values(i, drivers, rng) for i in range(first, min(first + per, points))])
            out.write(b"\0" + struct.pack(">I", len(body)) + body)


main(*sys.argv[1:])
