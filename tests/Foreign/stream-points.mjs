// Streams GPS points to a server with grpc-js and prints what was accepted and rejected.
// usage: stream-points.mjs HOST:PORT PROTOS DRIVER POINTS POINTS_PER_MESSAGE rows|columns
import { once } from 'node:events';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const [address, protos, driver, points, perMessage, form] = process.argv.slice(2);
const definition = loader.loadSync('ingest/v1/ingest_service.proto', {
  includeDirs: [protos],
  keepCase: true,
  defaults: true,
});
const { IngestService } = grpc.loadPackageDefinition(definition).ingest.v1;
const client = new IngestService(address, grpc.credentials.createInsecure());

const answer = new Promise((resolve, reject) => {
  const call = client.StreamGpsPoints((error, response) => (error ? reject(error) : resolve(response)));
  send(call).catch(reject);
});

// The same points as arrays: one driver, an order each, a second from point to point.
function columns(start, count) {
  const numbers = Array.from({ length: count }, (_, i) => start + i);
  return {
    row_count: count,
    driver_id: { dictionary: [driver], indexes: numbers.map(() => 0) },
    order_id: { values: numbers.map(String) },
    location_lat: numbers.map(() => -23.5),
    location_lon: numbers.map(() => -46.6),
    speed_kph: numbers.map((number) => number % 60),
    trip_stage: numbers.map(() => 'TRIP_STAGE_TO_PICKUP'),
    timestamp: { first_micros: (1767225600 + start) * 1e6, delta_micros: numbers.slice(1).map(() => 1e6) },
  };
}

async function send(call) {
  for (let start = 0; start < Number(points); start += Number(perMessage)) {
    const end = Math.min(start + Number(perMessage), Number(points));
    if (form === 'columns') {
      if (!call.write({ columns: columns(start, end - start) })) await once(call, 'drain');
      continue;
    }
    const request = { points: [] };
    for (let number = start; number < end; number++) {
      request.points.push({
        driver_id: driver,
        order_id: String(number),
        location: { lat: -23.5, lon: -46.6 },
        speed_kph: number % 60,
        trip_stage: 'TRIP_STAGE_TO_PICKUP',
        timestamp: { seconds: 1767225600 + number },
      });
    }
    if (!call.write(request)) await once(call, 'drain');
  }
  call.end();
}

const { accepted_count, rejected_count } = await answer;
console.log(`${accepted_count} ${rejected_count}`);
client.close();
