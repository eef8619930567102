'use strict'
const { createSocket } = require('node:dgram')
const { Resolver } = require('node:dns/promises')
const { readFileSync } = require('node:fs')
const { Denied, anyOf } = require('./attempt.cjs')
const { connected } = require('./host.cjs')

/** Whether the kernel would send there. Nothing is sent. */
function route(address) {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject)
    socket.connect(53, address, error => {
      if (error) return reject(error)
      const from = socket.address().address
      socket.close()
      resolve(`a route from ${from}`)
    })
  })
}

/** The default gateway, as /proc writes it: little-endian. */
function gateway() {
  const line = readFileSync('/proc/net/route', 'utf8')
    .split('\n')
    .map(text => text.split('\t'))
    .find(([, destination]) => destination === '00000000')
  return line && [6, 4, 2, 0].map(at => parseInt(line[2].slice(at, at + 2), 16)).join('.')
}

module.exports = [
  {
    name: "reach what listens on the host's loopback",
    reach: ({ canary }) => connected({ host: '127.0.0.1', port: canary.port }),
  },
  {
    name: 'reach what listens on addresses of the host',
    reach: ({ canary }) =>
      anyOf(
        Object.fromEntries(
          [...canary.addresses, gateway()]
            .filter(address => address !== undefined)
            .map(host => [host, () => connected({ host, port: canary.port })]),
        ),
      ),
  },
  {
    name: "reach the cloud's metadata address",
    // Only where something may hold it back is it really asked: elsewhere a route tells as much.
    reach: ({ ask }) => (ask ? connected({ host: '169.254.169.254', port: 80 }) : route('169.254.169.254')),
  },
  {
    name: 'ask a name server of the host',
    async reach({ canary }) {
      const resolver = new Resolver({ timeout: 1000, tries: 1 })
      resolver.setServers([`${canary.addresses[0]}:${canary.dnsPort}`])
      return `answered: ${await resolver.resolve4('probe.invalid')}`
    },
  },
  // An address of documentation: nobody has it.
  { name: 'reach the internet', reach: () => route('198.51.100.1') },
  {
    name: "reach the hub's doors that are not the public API",
    reach: () =>
      anyOf(
        Object.fromEntries(
          ['/metrics', '/readyz', '/internal/v1/state/alarms', '/api/v1/%2e%2e/%2e%2e/metrics'].map(path => [
            path,
            async () => {
              const answer = await fetch(`${process.env.__OW_API_HOST}${path}`, { signal: AbortSignal.timeout(3000) })
              await answer.text()
              if (!answer.ok) throw new Denied(`status ${answer.status}`)
              return `status ${answer.status}`
            },
          ]),
        ),
      ),
  },
]
