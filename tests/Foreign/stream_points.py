"""Streams GPS points to a server with Python's grpcio and prints what was accepted and rejected.

usage: stream_points.py HOST:PORT DESCRIPTOR_SET DRIVER POINTS POINTS_PER_MESSAGE rows|columns
"""

import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

address, descriptor_set, driver, points, per_message, form = sys.argv[1:]
pool = descriptor_pool.DescriptorPool()
with open(descriptor_set, "rb") as file:
    for proto in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
        pool.Add(proto)


def message(name):
    descriptor = pool.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


Request = message("ingest.v1.StreamGpsPointsRequest")
Response = message("ingest.v1.StreamGpsPointsResponse")


def add_columns(request, start, count):
    """The same points as arrays: one driver, an order each, a second from point to point."""
    columns = request.columns
    columns.row_count = count
    columns.driver_id.dictionary.append(driver)
    columns.driver_id.indexes.extend([0] * count)
    columns.order_id.values.extend(str(number) for number in range(start, start + count))
    columns.location_lat.extend([-23.5] * count)
    columns.location_lon.extend([-46.6] * count)
    columns.speed_kph.extend(number % 60 for number in range(start, start + count))
    columns.trip_stage.extend([2] * count)
    columns.timestamp.first_micros = (1767225600 + start) * 1_000_000
    columns.timestamp.delta_micros.extend([1_000_000] * (count - 1))


def requests():
    count, size = int(points), int(per_message)
    for start in range(0, count, size):
        request = Request()
        if form == "columns":
            add_columns(request, start, min(size, count - start))
            yield request
            continue
        for number in range(start, min(start + size, count)):
            point = request.points.add(driver_id=driver, order_id=str(number), speed_kph=number % 60, trip_stage=2)
            point.location.lat, point.location.lon = -23.5, -46.6
            point.timestamp.seconds = 1767225600 + number
        yield request


with grpc.insecure_channel(address) as channel:
    stream = channel.stream_unary(
        "/ingest.v1.IngestService/StreamGpsPoints",
        request_serializer=Request.SerializeToString,
        response_deserializer=Response.FromString,
    )
    response = stream(requests())
    print(response.accepted_count, response.rejected_count)
