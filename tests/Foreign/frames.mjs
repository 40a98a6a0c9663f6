// What no client library shows: the compressed flag of a frame, which two interop cases look at, and the error code of
// a reset. Frames by hand over node's own HTTP/2.
// usage: node frames.mjs ADDRESS PROTO_DIRECTORY...
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import zlib from 'node:zlib';
import loader from '@grpc/proto-loader';
import { run } from './report.mjs';

const [address, ...includeDirs] = process.argv.slice(2);
const { UnaryCall } = loader.loadSync('grpc/testing/test.proto', { includeDirs, keepCase: true, defaults: true })[
  'grpc.testing.TestService'
];
const session = http2.connect(`http://${address}`);
const requestSize = 271828;
const responseSize = 314159;

function frame(message, compressed) {
  const body = compressed ? zlib.gzipSync(message) : message;
  const header = Buffer.alloc(5);
  header.writeUInt8(compressed ? 1 : 0);
  header.writeUInt32BE(body.length, 1);
  return Buffer.concat([header, body]);
}

function call(request, compressed) {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.testing.TestService/UnaryCall',
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-encoding': 'gzip',
      'grpc-accept-encoding': 'identity,gzip',
    });
    const result = { chunks: [] };
    stream.on('response', (headers) => {
      result.headers = headers;
      result.status = headers['grpc-status'];
    });
    stream.on('trailers', (trailers) => (result.status = trailers['grpc-status']));
    stream.on('data', (chunk) => result.chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      const body = Buffer.concat(result.chunks);
      if (body.length > 0) {
        assert.equal(body.readUInt32BE(1), body.length - 5);
        result.compressed = body.readUInt8() === 1;
        const message = result.compressed ? zlib.gunzipSync(body.subarray(5)) : body.subarray(5);
        result.response = UnaryCall.responseDeserialize(message);
      }
      resolve(result);
    });
    const message = { payload: { body: Buffer.alloc(requestSize) }, ...request };
    stream.end(frame(UnaryCall.requestSerialize(message), compressed));
  });
}

await run({
  async client_compressed_unary() {
    const probe = await call({ response_size: responseSize, expect_compressed: { value: true } }, false);
    assert.equal(probe.status, '3');
    for (const compressed of [true, false]) {
      const result = await call({ response_size: responseSize, expect_compressed: { value: compressed } }, compressed);
      assert.equal(result.status, '0');
      assert.equal(result.response.payload.body.length, responseSize);
    }
  },

  async server_compressed_unary() {
    for (const compressed of [true, false]) {
      const result = await call({ response_size: responseSize, response_compressed: { value: compressed } }, false);
      assert.equal(result.status, '0');
      assert.equal(result.compressed, compressed);
      assert.equal(result.headers['grpc-encoding'], compressed ? 'gzip' : undefined);
      assert.equal(result.response.payload.body.length, responseSize);
    }
  },

  // The request is never ended here: the stream closes because the server resets it, and NO_ERROR says that the status
  // before it stands (RFC 9113, 8.1).
  async an_early_error_is_followed_by_NO_ERROR() {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/ingest.testing.v1.ProbeService/Refuse',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status;
    stream.on('response', (headers) => (status = headers['grpc-status']));
    const closed = new Promise((resolve, reject) => stream.on('close', resolve).on('error', reject));
    stream.resume();
    stream.write(frame(Buffer.alloc(0), false));
    await closed;
    assert.equal(status, '9');
    assert.equal(stream.rstCode, http2.constants.NGHTTP2_NO_ERROR);
  },
});
process.exit(0);
