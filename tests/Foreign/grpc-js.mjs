// Drives the tests' services with @grpc/grpc-js: the interop cases of gRPC and what they leave out.
// usage: node grpc-js.mjs ADDRESS PROTO_DIRECTORY...
import assert from 'node:assert/strict';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import { run } from './report.mjs';

const [address, ...includeDirs] = process.argv.slice(2);
const packages = grpc.loadPackageDefinition(
  loader.loadSync(
    [
      'grpc/testing/test.proto',
      'ingest/testing/v1/probe_service.proto',
      'grpc/health/v1/health.proto',
      'grpc/reflection/v1/reflection.proto',
      'grpc/reflection/v1alpha/reflection.proto',
      'google/rpc/status.proto',
      'google/rpc/error_details.proto',
    ],
    { includeDirs, keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true },
  ),
);

const insecure = grpc.credentials.createInsecure();
const limits = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
const connect = (Client, options = {}) => new Client(address, insecure, { ...limits, ...options });
const test = connect(packages.grpc.testing.TestService);
const gzipped = connect(packages.grpc.testing.TestService, {
  'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip,
});
const unknown = connect(packages.grpc.testing.UnimplementedService);
const probe = connect(packages.ingest.testing.v1.ProbeService);
const health = connect(packages.grpc.health.v1.Health);

const zeros = (count) => ({ body: Buffer.alloc(count) });

/** Calls a method that answers once. */
function unary(client, method, request, { metadata = new grpc.Metadata(), ...options } = {}) {
  return new Promise((resolve) => {
    const result = {};
    const call = client[method](request, metadata, options, (error, response) => {
      result.error = error;
      result.response = response;
    });
    call.on('metadata', (headers) => (result.headers = headers));
    call.on('status', (status) => resolve({ ...result, status }));
  });
}

/** Collects what a call with streamed responses yields. */
function drain(call, onMessage = () => {}) {
  return new Promise((resolve) => {
    const result = { messages: [] };
    call.on('metadata', (headers) => (result.headers = headers));
    call.on('data', (message) => {
      result.messages.push(message);
      onMessage(message, result.messages.length);
    });
    call.on('error', () => {});
    call.on('status', (status) => resolve({ ...result, status }));
  });
}

/** Sends requests and takes the one response. */
function upload(client, method, requests, options = {}) {
  return new Promise((resolve) => {
    const result = {};
    const call = client[method](new grpc.Metadata(), options, (error, response) => {
      result.error = error;
      result.response = response;
    });
    call.on('status', (status) => resolve({ ...result, status }));
    requests.forEach((request) => call.write(request));
    call.end();
  });
}

function assertStatus(result, code, details) {
  assert.equal(result.status.code, code, `${result.status.code}: ${result.status.details}`);
  if (details !== undefined) assert.equal(result.status.details, details);
}

const deadline = (milliseconds) => Date.now() + milliseconds;
const echoMetadata = () => {
  const metadata = new grpc.Metadata();
  metadata.set('x-grpc-test-echo-initial', 'test_initial_metadata_value');
  metadata.set('x-grpc-test-echo-trailing-bin', Buffer.from([0xab, 0xab, 0xab]));
  return metadata;
};
function assertEchoed({ headers, status }) {
  assert.deepEqual(headers.get('x-grpc-test-echo-initial'), ['test_initial_metadata_value']);
  assert.deepEqual(status.metadata.get('x-grpc-test-echo-trailing-bin'), [Buffer.from([0xab, 0xab, 0xab])]);
}

const interop = {
  async empty_unary() {
    const result = await unary(test, 'EmptyCall', {});
    assertStatus(result, grpc.status.OK);
    assert.deepEqual(result.response, {});
  },

  async large_unary() {
    const result = await unary(test, 'UnaryCall', { response_size: 314159, payload: zeros(271828) });
    assertStatus(result, grpc.status.OK);
    assert.equal(result.response.payload.body.length, 314159);
  },

  async client_streaming() {
    const requests = [27182, 8, 1828, 45904].map((size) => ({ payload: zeros(size) }));
    const result = await upload(test, 'StreamingInputCall', requests);
    assertStatus(result, grpc.status.OK);
    assert.equal(result.response.aggregated_payload_size, 74922);
  },

  async server_streaming() {
    const sizes = [31415, 9, 2653, 58979];
    const result = await drain(
      test.StreamingOutputCall({ response_parameters: sizes.map((size) => ({ size })) }),
    );
    assertStatus(result, grpc.status.OK);
    assert.deepEqual(result.messages.map((message) => message.payload.body.length), sizes);
  },

  async ping_pong() {
    const requests = [27182, 8, 1828, 45904];
    const responses = [31415, 9, 2653, 58979];
    const call = test.FullDuplexCall();
    const send = (index) =>
      call.write({ response_parameters: [{ size: responses[index] }], payload: zeros(requests[index]) });
    const done = drain(call, (_, count) => (count < 4 ? send(count) : call.end()));
    send(0);
    const result = await done;
    assertStatus(result, grpc.status.OK);
    assert.deepEqual(result.messages.map((message) => message.payload.body.length), responses);
  },

  async empty_stream() {
    const call = test.FullDuplexCall();
    const done = drain(call);
    call.end();
    const result = await done;
    assertStatus(result, grpc.status.OK);
    assert.equal(result.messages.length, 0);
  },

  async cancel_after_begin() {
    const result = await new Promise((resolve) => {
      const call = test.StreamingInputCall(() => {});
      call.on('status', (status) => resolve({ status }));
      setImmediate(() => call.cancel());
    });
    assertStatus(result, grpc.status.CANCELLED);
  },

  async cancel_after_first_response() {
    const call = test.FullDuplexCall();
    const done = drain(call, () => call.cancel());
    call.write({ response_parameters: [{ size: 31415 }], payload: zeros(27182) });
    const result = await done;
    assertStatus(result, grpc.status.CANCELLED);
    assert.equal(result.messages.length, 1);
  },

  async timeout_on_sleeping_server() {
    const call = test.FullDuplexCall(new grpc.Metadata(), { deadline: deadline(1) });
    const done = drain(call);
    call.write({ response_parameters: [{ size: 1, interval_us: 10_000_000 }], payload: zeros(27182) });
    assertStatus(await done, grpc.status.DEADLINE_EXCEEDED);
  },

  async custom_metadata() {
    const result = await unary(
      test, 'UnaryCall', { response_size: 314159, payload: zeros(271828) }, { metadata: echoMetadata() });
    assertStatus(result, grpc.status.OK);
    assertEchoed(result);
    const call = test.FullDuplexCall(echoMetadata());
    const done = drain(call);
    call.write({ response_parameters: [{ size: 314159 }], payload: zeros(271828) });
    call.end();
    const streamed = await done;
    assertStatus(streamed, grpc.status.OK);
    assertEchoed(streamed);
  },

  async status_code_and_message() {
    const response_status = { code: 2, message: 'test status message' };
    assertStatus(await unary(test, 'UnaryCall', { response_status }), 2, 'test status message');
    const call = test.FullDuplexCall();
    const done = drain(call);
    call.write({ response_status });
    call.end();
    assertStatus(await done, 2, 'test status message');
  },

  async special_status_message() {
    const message = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';
    assertStatus(await unary(test, 'UnaryCall', { response_status: { code: 2, message } }), 2, message);
  },

  async unimplemented_method() {
    assertStatus(await unary(test, 'UnimplementedCall', {}), grpc.status.UNIMPLEMENTED);
  },

  async unimplemented_service() {
    assertStatus(await unary(unknown, 'UnimplementedCall', {}), grpc.status.UNIMPLEMENTED);
  },
};

const beyond = {
  async gzip_requests_of_every_kind() {
    const expect_compressed = { value: true };
    const size = 100_000;
    const one = await unary(gzipped, 'UnaryCall', { expect_compressed, payload: zeros(size), response_size: 7 });
    assertStatus(one, grpc.status.OK);
    const requests = [1, 2, 3].map(() => ({ expect_compressed, payload: zeros(size) }));
    const many = await upload(gzipped, 'StreamingInputCall', requests);
    assertStatus(many, grpc.status.OK);
    assert.equal(many.response.aggregated_payload_size, 3 * size);
  },

  async gzip_responses() {
    const call = probe.Echo();
    const done = drain(call);
    const body = Buffer.from('compressible '.repeat(10_000));
    call.write({ body });
    call.write({ body: Buffer.alloc(0) });
    call.end();
    const result = await done;
    assertStatus(result, grpc.status.OK);
    assert.deepEqual(result.messages.map((message) => message.body), [body, Buffer.alloc(0)]);
  },

  async errors_with_details() {
    const { status } = await unary(probe, 'Fail', { kind: 'KIND_DETAILS' });
    assert.equal(status.code, grpc.status.RESOURCE_EXHAUSTED);
    assert.equal(status.details, 'Zu viel für heute ☹');
    assert.deepEqual(status.metadata.get('probe-bin'), [Buffer.from([0, 1, 255])]);
    const [bytes] = status.metadata.get('grpc-status-details-bin');
    const rich = decode('google/rpc/status.proto', 'google.rpc.Status', bytes);
    assert.equal(rich.code, grpc.status.RESOURCE_EXHAUSTED);
    assert.deepEqual(rich.details.map((any) => any.type_url), [
      'type.googleapis.com/google.rpc.RetryInfo',
      'type.googleapis.com/google.rpc.BadRequest',
    ]);
    const bad = decode('google/rpc/error_details.proto', 'google.rpc.BadRequest', rich.details[1].value);
    assert.equal(bad.field_violations[0].field, 'kind');
  },

  async an_exception_is_UNKNOWN_and_tells_nothing() {
    const { status } = await unary(probe, 'Fail', { kind: 'KIND_EXCEPTION' });
    assert.equal(status.code, grpc.status.UNKNOWN);
    assert.doesNotMatch(status.details, /password/);
  },

  async an_early_error_reaches_a_client_that_still_sends() {
    for (let round = 0; round < 20; round++) {
      const result = await new Promise((resolve) => {
        const call = probe.Refuse(() => {});
        call.on('status', (status) => {
          clearInterval(timer);
          resolve({ status });
        });
        const send = () => {
          for (let i = 0; i < 16; i++) call.write(zeros(64 * 1024));
        };
        const timer = setInterval(send, 1);
        send();
      });
      assertStatus(result, grpc.status.FAILED_PRECONDITION, 'not today');
    }
  },

  async a_message_over_the_limit_is_RESOURCE_EXHAUSTED() {
    const { status } = await unary(test, 'UnaryCall', { payload: zeros(17 * 1024 * 1024) });
    assert.equal(status.code, grpc.status.RESOURCE_EXHAUSTED, status.details);
    assert.match(status.details, /16777216/);
  },

  async a_deadline_ends_a_hanging_call() {
    assertStatus(await unary(probe, 'Hang', {}, { deadline: deadline(50) }), grpc.status.DEADLINE_EXCEEDED);
  },

  async a_hundred_thousand_messages_are_counted() {
    const count = 100_000;
    const result = await new Promise((resolve, reject) => {
      const call = probe.Count((error, response) => (error ? reject(error) : resolve(response)));
      const message = zeros(95);
      let sent = 0;
      const send = () => {
        while (sent < count) {
          sent++;
          if (!call.write(message)) {
            call.once('drain', send);
            return;
          }
        }
        call.end();
      };
      send();
    });
    assert.equal(result.count, count);
  },

  async health_check_list_and_watch() {
    assert.equal((await unary(health, 'Check', { service: '' })).response.status, 'SERVING');
    const known = await unary(health, 'Check', { service: 'grpc.testing.TestService' });
    assert.equal(known.response.status, 'SERVING');
    assertStatus(await unary(health, 'Check', { service: 'no.Such' }), grpc.status.NOT_FOUND);
    const list = await unary(health, 'List', {});
    assert.equal(list.response.statuses['grpc.testing.TestService'].status, 'SERVING');
    for (const [service, expected] of [['', 'SERVING'], ['no.Such', 'SERVICE_UNKNOWN']]) {
      const call = health.Watch({ service });
      const result = await drain(call, () => call.cancel());
      assert.deepEqual(result.messages, [{ status: expected }]);
      assertStatus(result, grpc.status.CANCELLED);
    }
  },

  async reflection_answers_every_question_in_both_versions() {
    for (const version of ['v1', 'v1alpha']) {
      const client = connect(packages.grpc.reflection[version].ServerReflection);
      const call = client.ServerReflectionInfo();
      const done = drain(call);
      const questions = [
        { list_services: '' },
        { file_by_filename: 'grpc/testing/test.proto' },
        { file_containing_symbol: 'grpc.testing.TestService.UnaryCall' },
        { file_containing_symbol: 'no.such.Symbol' },
        { file_containing_extension: { containing_type: 'no.Such', extension_number: 1 } },
        { all_extension_numbers_of_type: 'grpc.testing.Empty' },
        {},
      ];
      questions.forEach((question) => call.write({ host: 'h', ...question }));
      call.end();
      const { messages, status } = await done;
      assert.equal(status.code, grpc.status.OK, status.details);
      assert.deepEqual(messages.map((message) => message.message_response), [
        'list_services_response',
        'file_descriptor_response',
        'file_descriptor_response',
        'error_response',
        'error_response',
        'all_extension_numbers_response',
        'error_response',
      ]);
      const names = messages[0].list_services_response.service.map((service) => service.name);
      for (const name of ['grpc.testing.TestService', 'grpc.health.v1.Health']) assert.ok(names.includes(name), name);
      assert.equal(messages[1].file_descriptor_response.file_descriptor_proto.length, 3);
      assert.equal(messages[3].error_response.error_code, grpc.status.NOT_FOUND);
      assert.equal(messages[0].original_request.host, 'h');
    }
  },
};

function decode(file, type, bytes) {
  return loader.loadSync(file, { includeDirs, keepCase: true, defaults: true })[type].deserialize(bytes);
}

await run({ ...interop, ...beyond });
process.exit(0);
