// Appends GPS points with grpc-js as a producer would: keeps to its credit, resends from the durable offset.
// usage: append-points.mjs HOST:PORT PROTOS PRODUCER POINTS POINTS_PER_MESSAGE
// Half of the points go through a first session that is cut off; a second one goes on where the server says.
// Prints the durable offset, how many points were sent in all, and the first rejected offset.
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const [address, protos, producer, points, perMessage] = process.argv.slice(2);
const definition = loader.loadSync('ingest/v1/ingest_service.proto', {
  includeDirs: [protos],
  keepCase: true,
  longs: Number,
  defaults: true,
  oneofs: true,
});
const { IngestService } = grpc.loadPackageDefinition(definition).ingest.v1;
const client = new IngestService(address, grpc.credentials.createInsecure());

let sent = 0;
let rejected = -1;

// Point 7 has no driver: it is rejected, and its offset counts.
const point = (number) => ({
  driver_id: number === 7 ? '' : producer,
  order_id: String(number),
  location: { lat: -23.5, lon: -46.6 },
  speed_kph: number % 60,
  trip_stage: 'TRIP_STAGE_TO_PICKUP',
  timestamp: { seconds: 1767225600 + number },
});

/** Opens a session, sends up to an offset and resolves with the durable offset; the session is then cut off or ended. */
function session(epoch, end, cut) {
  return new Promise((resolve, reject) => {
    const call = client.Append();
    let next = 0;
    let credit = 0;
    let durable = 0;
    const send = () => {
      while (next < end) {
        const count = Math.min(Number(perMessage), end - next);
        const rows = { offset: next, gps_points: { points: Array.from({ length: count }, (_, i) => point(next + i)) } };
        const bytes = IngestService.service.Append.requestSerialize({ rows }).length;
        if (bytes > credit) return;
        call.write({ rows });
        credit -= bytes;
        sent += count;
        next += count;
      }
    };
    call.on('data', ({ opened, ack, credit: grant, refusal }) => {
      if (refusal) reject(new Error(refusal.message));
      if (opened) [next, credit] = [opened.durable_offset, opened.credit_bytes];
      if (grant) credit += grant.bytes;
      if (ack) {
        durable = ack.durable_offset;
        if (ack.errors.length > 0) rejected = ack.errors[0].row;
        if (durable >= end) return cut ? call.cancel() : call.end();
      }
      send();
    });
    call.on('error', (error) => (cut && error.code === grpc.status.CANCELLED ? resolve(durable) : reject(error)));
    call.on('end', () => resolve(durable));
    call.write({ open: { producer_id: producer, session_epoch: epoch, table: 'gps_points' } });
  });
}

await session(1, Number(points) / 2, true);
const durable = await session(2, Number(points), false);
console.log(`${durable} ${sent} ${rejected}`);
client.close();
