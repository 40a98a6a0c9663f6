// Drives the tests' services over gRPC-Web with @connectrpc/connect-web, as a browser would.
// usage: node connect-web.mjs URL DESCRIPTOR_SET
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import { run } from './report.mjs';

const [baseUrl, descriptorSet] = process.argv.slice(2);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, fs.readFileSync(descriptorSet)));
const transport = createGrpcWebTransport({ baseUrl });
const test = createClient(registry.getService('grpc.testing.TestService'), transport);
const probe = createClient(registry.getService('ingest.testing.v1.ProbeService'), transport);

async function fails(promise, code) {
  try {
    await promise;
  } catch (error) {
    const connectError = ConnectError.from(error);
    assert.equal(connectError.code, code, connectError.message);
    return connectError;
  }
  assert.fail('the call succeeded');
}

await run({
  async unary() {
    const headers = { 'x-grpc-test-echo-initial': 'initial', 'x-grpc-test-echo-trailing-bin': 'q6ur' };
    let seen;
    let trailers;
    const response = await test.unaryCall(
      { responseSize: 1000, payload: { body: new Uint8Array(5000) } },
      { headers, onHeader: (value) => (seen = value), onTrailer: (value) => (trailers = value) },
    );
    assert.equal(response.payload.body.length, 1000);
    assert.equal(seen.get('x-grpc-test-echo-initial'), 'initial');
    assert.equal(trailers.get('x-grpc-test-echo-trailing-bin'), 'q6ur');
  },

  async server_streaming() {
    const sizes = [31415, 9, 2653, 58979];
    const received = [];
    const request = { responseParameters: sizes.map((size) => ({ size })) };
    for await (const response of test.streamingOutputCall(request)) received.push(response.payload.body.length);
    assert.deepEqual(received, sizes);
  },

  async errors_with_details() {
    const error = await fails(probe.fail({ kind: 2 }), Code.ResourceExhausted);
    assert.equal(error.rawMessage, 'Zu viel für heute ☹');
    assert.deepEqual(error.details.map((detail) => detail.type), ['google.rpc.RetryInfo', 'google.rpc.BadRequest']);
    assert.equal(error.metadata.get('grpc-retry-pushback-ms'), '3000');
  },

  async unimplemented() {
    await fails(test.unimplementedCall({}), Code.Unimplemented);
  },

  async deadline() {
    await fails(probe.hang({}, { timeoutMs: 50 }), Code.DeadlineExceeded);
  },

  async cancel() {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    await fails(probe.hang({}, { signal: controller.signal }), Code.Canceled);
  },
});
process.exit(0);
