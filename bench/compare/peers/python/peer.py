"""grpcio, asyncio: decodes every point and drops it. peer.py PORT"""
import asyncio
import sys

import grpc
import peer_pb2
import peer_pb2_grpc


class Peer(peer_pb2_grpc.IngestServiceServicer):
    async def StreamGpsPoints(self, requests, context):
        count = 0
        async for request in requests:
            for point in request.points:
                count += bool(point.driver_id)
        return peer_pb2.StreamGpsPointsResponse(accepted_count=count)


async def main():
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 64 << 20)])
    peer_pb2_grpc.add_IngestServiceServicer_to_server(Peer(), server)
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    await server.start()
    await server.wait_for_termination()


asyncio.run(main())
