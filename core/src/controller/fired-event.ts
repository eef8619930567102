import { createHash } from 'node:crypto'
import type { FireRecord } from '../model/index.ts'
import type { FireCall } from './services.ts'

/** What a fire request says: payload, attributes, identity (design.md §2, §6; events.md §1). */
export type FiredEvent = {
  /** JSON text of an object. */
  readonly payload: string
  readonly identity?: { readonly source: string; readonly id: string }
  readonly input?: FireRecord['input']
  readonly headers: Readonly<Record<string, string>>
  attributes(fireId: string, nowMs: number): FireRecord['event']
  /** Digest of what "same content" compares. */
  digest(): string
}

export function readFiredEvent(call: FireCall): FiredEvent {
  const { trigger } = call
  const payload = typeof call.payload === 'string' ? call.payload : call.payload.toString()
  const source = `urn:sluice:trigger:/${trigger.namespace}/${trigger.name}`
  return {
    payload,
    ...(call.idempotencyKey === undefined ? {} : { identity: { source, id: call.idempotencyKey } }),
    headers: visibleHeaders(call.headers),
    attributes: (fireId, nowMs) => ({
      specversion: '1.0',
      id: call.idempotencyKey ?? fireId,
      source,
      type: 'io.sluice.trigger.fired',
      time: new Date(nowMs).toISOString(),
      datacontenttype: 'application/json',
    }),
    digest: () => createHash('sha256').update(payload).digest('hex'),
  }
}

/** Belong to the entity, the connection's framing, or are secret (rest-api.md §7.2). */
const hidden = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'content-type',
  'content-length',
  'transfer-encoding',
  'x-ow-extra-logging',
])

export function visibleHeaders(headers: FireCall['headers']): Record<string, string> {
  const seen: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !hidden.has(name)) seen[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return seen
}
