// Streams GPS points to a server with grpc-js and prints what was accepted and rejected.
// usage: stream-points.mjs HOST:PORT PROTOS DRIVER POINTS POINTS_PER_MESSAGE
import { once } from 'node:events';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const [address, protos, driver, points, perMessage] = process.argv.slice(2);
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

async function send(call) {
  for (let start = 0; start < Number(points); start += Number(perMessage)) {
    const request = { points: [] };
    for (let number = start; number < Math.min(start + Number(perMessage), Number(points)); number++) {
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
