"""Drives the tests' services with Python's grpcio.

usage: grpcio_client.py ADDRESS DESCRIPTOR_SET
"""

import json
import sys
import threading
import time
import traceback

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ADDRESS, DESCRIPTOR_SET = sys.argv[1:]
POOL = descriptor_pool.DescriptorPool()
FACTORY = message_factory.MessageFactory(POOL)
UNLIMITED = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]

with open(DESCRIPTOR_SET, "rb") as file:
    for proto in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
        POOL.Add(proto)


def message(name):
    descriptor = POOL.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return FACTORY.GetPrototype(descriptor)


def method(channel, path):
    service, name = path.split("/")
    descriptor = POOL.FindServiceByName(service).FindMethodByName(name)
    proto = descriptor_pb2.MethodDescriptorProto()
    descriptor.CopyToProto(proto)
    kind = f"{'stream' if proto.client_streaming else 'unary'}_{'stream' if proto.server_streaming else 'unary'}"
    return getattr(channel, kind)(
        f"/{path}",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=message(descriptor.output_type.full_name).FromString,
    )


TEST = "grpc.testing.TestService"
PROBE = "ingest.testing.v1.ProbeService"
SimpleRequest = message("grpc.testing.SimpleRequest")
Payload = message("grpc.testing.Payload")
Empty = message("grpc.testing.Empty")
FailRequest = message("ingest.testing.v1.FailRequest")
OutputRequest = message("grpc.testing.StreamingOutputCallRequest")


def fails(call, code):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, error
        return error
    raise AssertionError("the call succeeded")


def unary(channel):
    request = SimpleRequest(response_size=314159, payload=Payload(body=bytes(271828)))
    response = method(channel, f"{TEST}/UnaryCall")(request, timeout=10)
    assert len(response.payload.body) == 314159


def client_streaming(channel):
    count = 20_000
    point = Payload(body=bytes(95))
    response = method(channel, f"{PROBE}/Count")((point for _ in range(count)), timeout=20)
    assert response.count == count, response


def server_streaming(channel):
    request = OutputRequest()
    sizes = [31415, 9, 2653, 58979]
    for size in sizes:
        request.response_parameters.add(size=size)
    responses = method(channel, f"{TEST}/StreamingOutputCall")(request, timeout=10)
    assert [len(response.payload.body) for response in responses] == sizes


def duplex_streaming(channel):
    bodies = [bytes([n]) * n * 1000 for n in range(1, 20)]
    responses = method(channel, f"{PROBE}/Echo")((Payload(body=body) for body in bodies), timeout=10)
    assert [response.body for response in responses] == bodies


def gzip(channel):
    request = SimpleRequest(response_size=1, payload=Payload(body=bytes(271828)))
    request.expect_compressed.value = True
    request.response_compressed.value = True
    response = method(channel, f"{TEST}/UnaryCall")(request, timeout=10, compression=grpc.Compression.Gzip)
    assert len(response.payload.body) == 1


def deflate_is_unimplemented(channel):
    request = SimpleRequest(payload=Payload(body=bytes(271828)))
    call = lambda: method(channel, f"{TEST}/UnaryCall")(request, timeout=10, compression=grpc.Compression.Deflate)
    assert "deflate" in fails(call, grpc.StatusCode.UNIMPLEMENTED).details()


def errors_with_details(channel):
    error = fails(lambda: method(channel, f"{PROBE}/Fail")(FailRequest(kind=2)), grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert error.details() == "Zu viel für heute ☹", error.details()
    trailers = dict(error.trailing_metadata())
    assert trailers["probe-bin"] == bytes([0, 1, 255])
    status = message("google.rpc.Status").FromString(trailers["grpc-status-details-bin"])
    assert status.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0] and len(status.details) == 2


def early_error_reaches_a_client_that_still_sends(channel):
    stop = threading.Event()

    def endless():
        while not stop.is_set():
            yield Payload(body=bytes(64 * 1024))

    for _ in range(20):
        error = fails(lambda: method(channel, f"{PROBE}/Refuse")(endless(), timeout=10),
                      grpc.StatusCode.FAILED_PRECONDITION)
        assert error.details() == "not today"
    stop.set()


def message_over_the_limit(channel):
    call = lambda: method(channel, f"{TEST}/UnaryCall")(SimpleRequest(payload=Payload(body=bytes(17 << 20))))
    assert "16777216" in fails(call, grpc.StatusCode.RESOURCE_EXHAUSTED).details()


def deadline(channel):
    fails(lambda: method(channel, f"{PROBE}/Hang")(Empty(), timeout=0.05), grpc.StatusCode.DEADLINE_EXCEEDED)


def cancel(channel):
    call = method(channel, f"{PROBE}/Hang").future(Empty())
    time.sleep(0.02)
    call.cancel()
    assert call.cancelled()


def unimplemented(channel):
    fails(lambda: method(channel, f"{TEST}/UnimplementedCall")(Empty()), grpc.StatusCode.UNIMPLEMENTED)


CASES = [unary, client_streaming, server_streaming, duplex_streaming, gzip, deflate_is_unimplemented,
         errors_with_details, early_error_reaches_a_client_that_still_sends, message_over_the_limit, deadline, cancel,
         unimplemented]

with grpc.insecure_channel(ADDRESS, options=UNLIMITED) as shared:
    for case in CASES:
        error = None
        try:
            case(shared)
        except BaseException:
            error = traceback.format_exc()
        print(json.dumps({"case": case.__name__, "error": error}), flush=True)
