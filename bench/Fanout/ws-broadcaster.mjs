// The usual Node broadcaster: every message to every client of a WebSocketServer, as the documentation of `ws` has it.
// usage: ws-broadcaster.mjs BYTES        "publish N" on standard input: publish up to message N
// What one command publishes is written to a client at one go (cork), so that a busy broadcaster needs no system call
// for each message.
import { WebSocketServer } from 'ws';
import { createInterface } from 'node:readline';

const bytes = Number(process.argv[2]);
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, backlog: 4096 });
server.on('listening', () => console.log(`port ${server.address().port} bytes ${bytes}`));

let published = 0;
createInterface({ input: process.stdin }).on('line', (line) => {
  const until = Number(line.split(' ')[1]);
  const messages = [];
  for (; published < until; published++) {
    const mark = `@@${String(published).padStart(12, '0')}@${String(process.hrtime.bigint()).padStart(19, '0')}@`;
    messages.push(Buffer.from(mark.padEnd(bytes, 'x')));
  }
  for (const client of server.clients) {
    client._socket.cork();
    for (const message of messages) client.send(message);
    client._socket.uncork();
  }
});
