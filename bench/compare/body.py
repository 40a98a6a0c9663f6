"""Writes the client stream that every server gets, byte for byte: body.py FILE POINTS POINTS_PER_MESSAGE

5,000 drivers in turn, each on an order, values from a fixed seed; gRPC frames, uncompressed.
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


def point(i, rng):
    driver = i % 5000
    location = b"\x09" + struct.pack("<d", -23.55 + rng.uniform(-0.1, 0.1))
    location += b"\x11" + struct.pack("<d", -46.63 + rng.uniform(-0.1, 0.1))
    moment = number(1, 1790000000 + i // 5000) + number(2, driver * 200000)
    return (
        field(1, f"driver_{driver}")
        + field(2, f"order_{driver * 7 + i // 50000}")
        + field(3, location)
        + b"\x25" + struct.pack("<f", rng.uniform(0, 60))
        + number(5, 1 + i % 4)
        + number(6, 1 + i % 3)
        + field(7, "business_district")
        + field(8, moment)
    )


def main(path, points, per):
    rng = random.Random(7)
    with open(path, "wb") as out:
        for first in range(0, points, per):
            body = b"".join(field(1, point(i, rng)) for i in range(first, min(first + per, points)))
            out.write(b"\0" + struct.pack(">I", len(body)) + body)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
