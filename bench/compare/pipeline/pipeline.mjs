// What is written in an afternoon: grpc-js, rows gathered, INSERT ... FORMAT JSONEachRow over HTTP every 50,000 rows or
// every second; the stream is answered when all of its rows are inserted. node pipeline.mjs PORT PROTO CLICKHOUSE_URL
import http from 'node:http'
import grpc from '@grpc/grpc-js'
import loader from '@grpc/proto-loader'

const [port, proto, clickhouse] = process.argv.slice(2)
const rowsPerInsert = 50_000
const agent = new http.Agent({ keepAlive: true, maxSockets: 2 })
const insert = new URL(clickhouse)
insert.searchParams.set('query', 'INSERT INTO gps_points_json FORMAT JSONEachRow')
insert.searchParams.set('date_time_input_format', 'best_effort')

let rows = []
let done = Promise.resolve()

function post(body) {
  return new Promise((resolve, reject) => {
    const request = http.request(insert, { method: 'POST', agent }, (response) => {
      let text = ''
      response.on('data', (piece) => (text += piece))
      response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(text))))
    })
    request.on('error', reject)
    request.end(body)
  })
}

function flush() {
  if (rows.length > 0) {
    const body = rows.join('\n')
    rows = []
    const sent = post(body)
    done = Promise.all([done, sent]).then(() => {})
  }
  return done
}

setInterval(flush, 1000)

const definition = loader.loadSync(proto, { keepCase: true, longs: Number, includeDirs: ['/usr/include'] })
const { IngestService } = grpc.loadPackageDefinition(definition).ingest.v1
const server = new grpc.Server({ 'grpc.max_receive_message_length': 64 << 20 })
server.addService(IngestService.service, {
  StreamGpsPoints(call, callback) {
    let count = 0
    call.on('data', (request) => {
      for (const point of request.points) {
        rows.push(
          JSON.stringify({
            driver_id: point.driver_id,
            order_id: point.order_id,
            location_lat: point.location.lat,
            location_lon: point.location.lon,
            speed_kph: point.speed_kph,
            trip_stage: point.trip_stage,
            traffic_density: point.traffic_density,
            zone_type: point.zone_type,
            timestamp: `${point.timestamp.seconds}.${String(Math.trunc(point.timestamp.nanos / 1000)).padStart(6, '0')}`,
            anomaly_flags: point.anomaly_flags ?? [],
          }),
        )
        count++
      }
      if (rows.length >= rowsPerInsert) {
        call.pause()
        flush().then(() => call.resume(), (error) => call.destroy(error))
      }
    })
    call.on('end', () => flush().then(() => callback(null, { accepted_count: count }), callback))
    call.on('error', () => {})
  },
})
server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error
})
