"""Subscribes with Python's grpcio and prints the numbers of the first updates.

usage: subscribe.py HOST:PORT DESCRIPTOR_SET TOPIC COUNT [TOKEN]

The requests end behind start, as they do for everybody who writes iter([start]). The last line is the token that goes on.
"""

import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

address, descriptor_set, topic, count, *token = sys.argv[1:]
pool = descriptor_pool.DescriptorPool()
with open(descriptor_set, "rb") as file:
    for proto in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
        pool.Add(proto)


def message(name):
    descriptor = pool.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


Request = message("ingest.v1.SubscribeRequest")
Response = message("ingest.v1.SubscribeResponse")
request = Request()
request.start.topics.append(topic)
if token:
    request.start.resume_token = token[0]
else:
    request.start.position = 2  # EARLIEST

with grpc.insecure_channel(address) as channel:
    subscribe = channel.stream_stream(
        "/ingest.v1.SubscriptionService/Subscribe",
        request_serializer=Request.SerializeToString,
        response_deserializer=Response.FromString,
    )
    call = subscribe(iter([request]))
    left = int(count)
    for response in call:
        if response.WhichOneof("response") == "update":
            print(int(response.update.custom["number"]))
            left -= 1
            if left == 0:
                print(response.update.resume_token)
                call.cancel()
                break
