/** `node hanging-registry.mjs PORT`: accepts connections on loopback and never answers. Prints a line when it listens. */
import { createServer } from 'node:net'

const server = createServer(socket => {
  socket.on('error', () => {})
  socket.resume()
  process.stdout.write('connected\n')
})
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write('listening\n'))
