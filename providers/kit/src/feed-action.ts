/**
 * The source of a feed action: plain JavaScript for a Node.js runtime, nothing but built-in modules (feeds.md §2.7). It
 * signs its parameters with the token bound to its package, posts them to the provider and hands on what that answers.
 *
 *   client -> feed action (in the caller's namespace) -> POST <endpoint>/v1/lifecycle -> provider
 */
export function feedActionSource(options: { provider: string; errorShape: 'nested' | 'flat' }): string {
  return template
    .replace("'<provider>'", JSON.stringify(options.provider))
    .replace("'<nested>'", String(options.errorShape === 'nested'))
}

const template = `'use strict'
const { createHmac } = require('node:crypto')
const provider = '<provider>'
const nested = '<nested>'

// The namespace is the caller's, whatever the parameters say: '_' in a trigger's name means it.
function main({ sluiceEndpoint, sluiceToken, ...parameters }) {
  const body = JSON.stringify({ ...parameters, __OW_NAMESPACE: process.env.__OW_NAMESPACE })
  const timestamp = String(Math.floor(Date.now() / 1000))
  const signature = createHmac('sha256', String(sluiceToken)).update(timestamp + '.').update(body).digest('hex')
  return post(target(sluiceEndpoint), body, { 'sluice-timestamp': timestamp, 'sluice-signature': signature })
    .then(answer => answer.body || failure('the ' + provider + ' provider answered with status ' + answer.status))
    .catch(() => failure('the ' + provider + ' provider cannot be reached'))
}

function failure(text) {
  return { error: nested ? { error: text } : text }
}

function target(endpoint) {
  const base = endpoint || (process.env.__OW_API_HOST || '') + '/providers/' + provider
  const socket = /^unix:([^:]+?)(?::|(?=\\/providers\\/))(\\/.*)?$/.exec(base)
  if (socket) return { socketPath: socket[1], path: (socket[2] || '') + '/v1/lifecycle' }
  const url = new URL((/^https?:\\/\\//.test(base) ? base : 'https://' + base).replace(/\\/+$/, '') + '/v1/lifecycle')
  return { protocol: url.protocol, hostname: url.hostname.replace(/^\\[|\\]$/g, ''), port: url.port, path: url.pathname }
}

function post(where, body, headers) {
  const { request } = require(where.protocol === 'https:' ? 'node:https' : 'node:http')
  return new Promise((resolve, reject) => {
    const length = Buffer.byteLength(body)
    const sent = request(
      {
        ...where,
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json', 'content-length': length },
        signal: AbortSignal.timeout(47000),
      },
      response => {
        const chunks = []
        response.on('error', reject)
        response.on('data', chunk => chunks.push(chunk))
        response.on('end', () => resolve({ status: response.statusCode, body: objectIn(Buffer.concat(chunks)) }))
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

// An answer that fails the call always carries 'error'; anything else that is not a success is not the provider's.
function objectIn(bytes) {
  try {
    const value = JSON.parse(bytes.toString())
    return value && typeof value === 'object' && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

exports.main = main
`
