// Follows the topic `alerts` with npm's `ws` and `eventsource` while the server publishes numbered alerts all the time.
//   node realtime.mjs ADDRESS        ADDRESS: http://127.0.0.1:7480

import assert from 'node:assert/strict';
import net from 'node:net';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { run } from './report.mjs';

const address = process.argv[2];
const sockets = address.replace('http', 'ws');

const numberOf = (message) => Number(message.payload.alert.alert_id);

// Opens a socket and hands out its messages one by one.
async function open(path = '/ws', options = {}) {
  const socket = new WebSocket(sockets + path, options);
  const waiting = [];
  const readers = [];
  socket.on('message', (data, isBinary) => {
    assert.equal(isBinary, false);
    const message = JSON.parse(data);
    if (readers.length > 0) readers.shift()(message);
    else waiting.push(message);
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.on('error', () => {});
  const read = () => waiting.length > 0
    ? Promise.resolve(waiting.shift())
    : new Promise((resolve) => readers.push(resolve));
  const send = (type, payload) => socket.send(JSON.stringify({ message_type: type, payload }));
  return { socket, read, send };
}

async function readEvents(client, count) {
  const events = [];
  while (events.length < count) {
    const message = await client.read();
    assert.equal(message.message_type, 'realtime_event');
    events.push(message);
  }
  return events;
}

// Follows a stream until it had so many events.
function follow(url, count) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(url);
    const numbers = [];
    source.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.message_type === 'subscription_confirmed') return;
      assert.equal(message.message_type, 'realtime_event');

      // What came in the same piece is still told after close().
      if (numbers.length === count) return;
      numbers.push(numberOf(message));
      if (numbers.length === count) {
        source.close();
        resolve({ numbers, token: event.lastEventId });
      }
    };
    source.onerror = (error) => {
      if (source.readyState === EventSource.CLOSED) reject(new Error(`${error.code}: ${error.message}`));
    };
  });
}

function assertContiguous(numbers) {
  assert.ok(numbers.length > 1);
  numbers.forEach((number, i) => assert.equal(number, numbers[0] + i));
}

// A proxy that cuts each connection off once it has passed on so many bytes.
function cuttingProxy(bytes) {
  let connections = 0;
  const target = new URL(address);
  const server = net.createServer((client) => {
    connections++;
    const upstream = net.connect(Number(target.port), target.hostname);
    let passed = 0;
    client.pipe(upstream);
    upstream.on('data', (chunk) => {
      passed += chunk.length;
      client.write(chunk);
      if (passed > bytes) {
        client.destroy();
        upstream.destroy();
      }
    });
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({
    url: `http://127.0.0.1:${server.address().port}`,
    connections: () => connections,
    close: () => server.close(),
  })));
}

await run({
  'ws is cut off and goes on with its token': async () => {
    const first = await open();
    first.send('subscribe', { id: 'a', topics: ['alerts'], from: 'earliest', overflow: 'block' });
    assert.equal((await first.read()).message_type, 'subscription_confirmed');
    const before = await readEvents(first, 60);
    first.socket.terminate();
    const second = await open();
    second.send('subscribe', { topics: ['alerts'], overflow: 'block', resume_token: before.at(-1).resume_token });
    const confirmed = await second.read();
    assert.equal(confirmed.payload.positions[0].recovered, true);
    const after = await readEvents(second, 60);
    assertContiguous([...before, ...after].map(numberOf));
    second.socket.close(1000);
    const code = await new Promise((resolve) => second.socket.once('close', resolve));
    assert.equal(code, 1000);
  },

  'ws agrees on permessage-deflate, without it too': async () => {
    for (const perMessageDeflate of [true, false]) {
      const client = await open('/ws?topics=alerts&from=earliest&overflow=block', { perMessageDeflate });
      assert.equal(client.socket.extensions, perMessageDeflate ? 'permessage-deflate' : '');
      assert.equal((await client.read()).message_type, 'subscription_confirmed');
      assertContiguous((await readEvents(client, 30)).map(numberOf));
      client.send('ping', { text: 'x'.repeat(5000) });
      let message = await client.read();
      while (message.message_type === 'realtime_event') message = await client.read();
      assert.equal(message.payload.text.length, 5000);
      client.socket.terminate();
    }
  },

  'ws hears of nonsense and lives': async () => {
    const client = await open();
    client.socket.send('nonsense');
    assert.equal((await client.read()).payload.code, 'malformed');
    client.socket.send(Buffer.from([1, 2, 3]));
    assert.equal((await client.read()).payload.code, 'malformed');
    client.socket.send('{"message_type":', { fin: false });
    client.socket.send('"ping"}', { fin: true });
    assert.equal((await client.read()).message_type, 'pong');
    const answered = new Promise((resolve) => client.socket.once('pong', resolve));
    client.socket.ping('hello');
    assert.equal(String(await answered), 'hello');
    client.socket.terminate();
  },

  'ws is told the code when a token cannot be gone on from': async () => {
    const client = await open('/ws?topics=alerts&resume_token=nonsense');
    const code = await new Promise((resolve) => client.socket.once('close', resolve));
    assert.equal(code, 4010);
    assert.equal((await client.read()).payload.code, 'cannot_resume');
  },

  'eventsource goes on with the id that it had': async () => {
    const first = await follow(`${address}/stream/topic/alerts?from=earliest&overflow=block`, 50);
    const second = await follow(`${address}/stream/events?topics=alerts&overflow=block&last_event_id=${first.token}`, 50);
    assertContiguous([...first.numbers, ...second.numbers]);
  },

  'eventsource that is cut off again and again misses nothing and has nothing twice': async () => {
    const proxy = await cuttingProxy(20_000);
    try {
      const { numbers } = await follow(`${proxy.url}/stream/topic/alerts?from=earliest&overflow=block`, 200);
      assertContiguous(numbers);
      assert.ok(proxy.connections() > 1, 'it was never cut off');
    } finally {
      proxy.close();
    }
  },

  'token of one goes on on the other': async () => {
    const stream = await follow(`${address}/stream/topic/alerts?from=earliest&overflow=block`, 25);
    const socket = await open(`/ws?topics=alerts&overflow=block&resume_token=${stream.token}`);
    assert.equal((await socket.read()).message_type, 'subscription_confirmed');
    const events = await readEvents(socket, 25);
    socket.socket.terminate();
    const last = await follow(
      `${address}/stream/topic/alerts?overflow=block&last_event_id=${events.at(-1).resume_token}`, 25);
    assertContiguous([...stream.numbers, ...events.map(numberOf), ...last.numbers]);
  },
});
