// Sends GPS points with grpc-js until the server stops: by Append, and by StreamGpsPoints.
// usage: drain-points.mjs HOST:PORT PROTOS PRODUCER HALF_CLOSE
// Prints "ready" once points were acknowledged. When both calls have ended, prints of Append whether it was told that
// the server drains, its status and the durable offset; and of the stream its status and the rows that it is told landed.
// With HALF_CLOSE "yes" the producer ends its call when it is told, as a polite one does; otherwise it goes on.
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const [address, protos, producer, halfClose] = process.argv.slice(2);
const definition = loader.loadSync('ingest/v1/ingest_service.proto', {
  includeDirs: [protos],
  keepCase: true,
  longs: Number,
  defaults: true,
  oneofs: true,
});
const { IngestService } = grpc.loadPackageDefinition(definition).ingest.v1;
const client = new IngestService(address, grpc.credentials.createInsecure());

const points = (driver, first, count) => Array.from({ length: count }, (_, i) => ({
  driver_id: driver,
  order_id: String(first + i),
  location: { lat: -23.5, lon: -46.6 },
  timestamp: { seconds: 1767225600 + first + i },
}));

/** Appends ten points at each acknowledgement; resolves when the call has ended. */
function append() {
  return new Promise((resolve) => {
    const call = client.Append();
    let draining = false;
    let ended = false;
    let durable = 0;
    const send = (offset) => {
      if (!ended) call.write({ rows: { offset, gps_points: { points: points(producer, offset, 10) } } });
    };
    call.on('data', (response) => {
      if (response.opened) send(0);
      if (response.draining) {
        draining = true;
        if (halfClose === 'yes') {
          ended = true;
          call.end();
        }
      }
      if (response.ack) {
        if (durable === 0) console.log('ready');
        durable = response.ack.durable_offset;
        send(durable);
      }
    });
    call.on('error', () => {});
    call.on('status', (status) => resolve(`${draining} ${grpc.status[status.code]} ${durable}`));
    call.write({ open: { producer_id: producer, session_epoch: 1, table: 'gps_points' } });
  });
}

/** Streams points one by one until the server ends the call. */
function stream() {
  return new Promise((resolve) => {
    let sent = 0;
    const call = client.StreamGpsPoints((error) => {
      clearInterval(timer);
      const accepted = Number(error?.metadata.get('ingest-accepted-count')[0] ?? -1);
      resolve(`${grpc.status[error?.code ?? 0]} ${accepted > 0 && accepted <= sent ? accepted : `${accepted} of ${sent}`}`);
    });
    const timer = setInterval(() => call.write({ points: points(`${producer}-stream`, sent++, 1) }), 1);
  });
}

console.log((await Promise.all([append(), stream()])).join('\n'));
