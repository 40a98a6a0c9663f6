// grpc-js: decodes every point and drops it. node peer.mjs PORT PROTO
import grpc from '@grpc/grpc-js'
import loader from '@grpc/proto-loader'

const [port, proto] = process.argv.slice(2)
const definition = loader.loadSync(proto, { keepCase: true, longs: Number, includeDirs: ['/usr/include'] })
const { IngestService } = grpc.loadPackageDefinition(definition).ingest.v1

const server = new grpc.Server({ 'grpc.max_receive_message_length': 64 << 20 })
server.addService(IngestService.service, {
  StreamGpsPoints(call, callback) {
    let count = 0
    call.on('data', (request) => {
      for (const point of request.points) if (point.driver_id) count++
    })
    call.on('end', () => callback(null, { accepted_count: count }))
    call.on('error', () => {})
  },
})
server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error
})
