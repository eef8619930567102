/**
 * A small HTTP/1.1 client for load: it shares the two cores with the hub, so what it costs is taken from the hub. It
 * knows what the hub's answers look like and nothing else.
 */
import { connect } from 'node:net'

const headEnd = Buffer.from('\r\n\r\n')

/** `call(method, path, headers, body)` resolves to `{ status, text }`; connections are kept, one call each. */
export function wire(url, connectionsMax) {
  const { hostname, port } = new URL(url)
  const idle = []
  const waiting = []
  const sockets = new Set()

  function open() {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    const line = { socket, settle: undefined, got: undefined }
    sockets.add(socket)
    socket.on('data', chunk => receive(line, chunk))
    socket.on('error', error => broken(line, error))
    socket.on('close', () => broken(line, new Error('The hub closed the connection.')))
    return line
  }

  function broken(line, error) {
    sockets.delete(line.socket)
    const at = idle.indexOf(line)
    if (at >= 0) idle.splice(at, 1)
    const { settle } = line
    line.settle = undefined
    settle?.fail(error)
  }

  function receive(line, chunk) {
    line.got = line.got === undefined ? chunk : Buffer.concat([line.got, chunk])
    const answer = answerOf(line.got)
    if (answer === undefined) return
    line.got = undefined
    const { settle } = line
    line.settle = undefined
    const next = waiting.shift()
    if (next) send(line, next)
    else idle.push(line)
    settle.done(answer)
  }

  function send(line, { text, done, fail }) {
    line.settle = { done, fail }
    line.socket.write(text)
  }

  return {
    call(method, path, headers, body) {
      let text = `${method} ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n`
      for (const name in headers) text += `${name}: ${headers[name]}\r\n`
      text += body === undefined ? '\r\n' : `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
      return new Promise((done, fail) => {
        const call = { text, done, fail }
        const line = idle.pop() ?? (sockets.size < connectionsMax ? open() : undefined)
        if (line) send(line, call)
        else waiting.push(call)
      })
    },
    close() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** The whole answer, or nothing as long as a part of it is missing. */
function answerOf(bytes) {
  const end = bytes.indexOf(headEnd)
  if (end < 0) return undefined
  const head = bytes.latin1Slice(0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)
  const body = length
    ? lengthBody(bytes, end + 4, Number(length[1]))
    : /\r\ntransfer-encoding: *chunked/i.test(head)
      ? chunkedBody(bytes, end + 4)
      : ''
  if (body === undefined) return undefined
  return { status: Number(head.slice(9, 12)), text: body }
}

function lengthBody(bytes, from, length) {
  return bytes.length < from + length ? undefined : bytes.utf8Slice(from, from + length)
}

function chunkedBody(bytes, from) {
  const parts = []
  for (let at = from; ;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.latin1Slice(at, lineEnd), 16)
    const start = lineEnd + 2
    if (bytes.length < start + size + 2) return undefined
    if (size === 0) return Buffer.concat(parts).toString()
    parts.push(bytes.subarray(start, start + size))
    at = start + size + 2
  }
}
