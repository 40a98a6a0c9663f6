// Subscribes with grpc-js, keeps its place in a file as a careful subscriber does, and goes on there when started again.
// usage: subscribe.mjs HOST:PORT PROTOS TOPIC FILE COUNT
// An update is handled by appending a line to FILE: its number (payload.number), its token. A line that was cut off by a
// kill is cut away at the start. Ends with "done" once the file has COUNT lines; prints "started" when it follows.
// A call that fails is begun again, since the server may be killed as well.
import { existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const [address, protos, topic, file, count] = process.argv.slice(2);
const definition = loader.loadSync('ingest/v1/subscription_service.proto', {
  includeDirs: [protos],
  keepCase: true,
  longs: Number,
  defaults: true,
  oneofs: true,
});
const { SubscriptionService } = grpc.loadPackageDefinition(definition).ingest.v1;
// Over a connection of its own each time, and soon: the defaults wait for seconds.
const connect = () => new SubscriptionService(address, grpc.credentials.createInsecure(), {
  'grpc.use_local_subchannel_pool': 1, 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 500,
});

const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
const whole = text.slice(0, text.lastIndexOf('\n') + 1);
if (whole.length < text.length) truncateSync(file, whole.length);
const lines = whole.split('\n').slice(0, -1);
let handled = lines.filter((line) => !line.startsWith('gap')).length;
let token = lines.length > 0 ? lines.at(-1).split(' ').at(-1) : '';
const output = openSync(file, 'a');

function subscribe() {
  const client = connect();
  const call = client.Subscribe();
  const start = { topics: [topic], overflow: 'OVERFLOW_POLICY_BLOCK', credit_messages: 64 };
  call.write({ start: token ? { ...start, resume_token: token } : { ...start, position: 'START_POSITION_EARLIEST' } });
  call.on('data', (response) => {
    if (response.started) console.log('started');
    if (response.gap) {
      const { from_epoch, from_offset, to_epoch, to_offset, dropped_count, reason, resume_token } = response.gap;
      writeSync(output, `gap ${reason} ${from_epoch} ${from_offset} ${to_epoch} ${to_offset} ${dropped_count} ${resume_token}\n`);
      token = resume_token;
    }
    if (response.update) {
      const { resume_token, custom } = response.update;
      const number = custom.fields.number;
      writeSync(output, `${Number(number[number.kind])} ${resume_token}\n`);
      token = resume_token;
      call.write({ credit: { messages: 1 } });
      if (++handled === Number(count)) {
        console.log('done');
        process.exit(0);
      }
    }
  });
  call.on('error', (error) => {
    client.close();
    if (![grpc.status.UNAVAILABLE, grpc.status.CANCELLED].includes(error.code)) {
      console.log(`${grpc.status[error.code]} ${error.details}`);
      process.exit(1);
    }
    setTimeout(subscribe, 50);
  });
}

subscribe();
