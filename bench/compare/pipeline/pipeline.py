"""The same as pipeline.mjs with grpcio and asyncio: rows gathered, INSERT ... FORMAT JSONEachRow over HTTP every 50,000
rows or every second; a stream is answered when all of its rows are inserted. pipeline.py PORT CLICKHOUSE_URL"""
import asyncio
import json
import sys
import urllib.parse
import urllib.request

import grpc
import peer_pb2
import peer_pb2_grpc

ROWS_PER_INSERT = 50_000


class Inserts:
    def __init__(self, clickhouse):
        query = {"query": "INSERT INTO gps_points_json FORMAT JSONEachRow", "date_time_input_format": "best_effort"}
        self.url = clickhouse + "?" + urllib.parse.urlencode(query)
        self.rows = []
        self.under_way = set()

    def post(self, body):
        with urllib.request.urlopen(urllib.request.Request(self.url, data=body, method="POST")) as response:
            response.read()

    async def flush(self):
        if self.rows:
            body, self.rows = "\n".join(self.rows).encode(), []
            insert = asyncio.create_task(asyncio.to_thread(self.post, body))
            self.under_way.add(insert)
            insert.add_done_callback(self.under_way.discard)
        await asyncio.gather(*self.under_way)

    async def flush_each_second(self):
        while True:
            await asyncio.sleep(1)
            await self.flush()


class Pipeline(peer_pb2_grpc.IngestServiceServicer):
    def __init__(self, inserts):
        self.inserts = inserts

    async def StreamGpsPoints(self, requests, context):
        count = 0
        async for request in requests:
            for point in request.points:
                self.inserts.rows.append(json.dumps({
                    "driver_id": point.driver_id,
                    "order_id": point.order_id,
                    "location_lat": point.location.lat,
                    "location_lon": point.location.lon,
                    "speed_kph": point.speed_kph,
                    "trip_stage": point.trip_stage,
                    "traffic_density": point.traffic_density,
                    "zone_type": point.zone_type,
                    "timestamp": f"{point.timestamp.seconds}.{point.timestamp.nanos // 1000:06d}",
                    "anomaly_flags": list(point.anomaly_flags),
                }))
                count += 1
            if len(self.inserts.rows) >= ROWS_PER_INSERT:
                await self.inserts.flush()
        await self.inserts.flush()
        return peer_pb2.StreamGpsPointsResponse(accepted_count=count)


async def main(port, clickhouse):
    inserts = Inserts(clickhouse)
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 64 << 20)])
    peer_pb2_grpc.add_IngestServiceServicer_to_server(Pipeline(inserts), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    every_second = asyncio.create_task(inserts.flush_each_second())
    await server.wait_for_termination()
    every_second.cancel()


asyncio.run(main(*sys.argv[1:]))
