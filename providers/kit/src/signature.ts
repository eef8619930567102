import { createHmac, timingSafeEqual } from 'node:crypto'
import { bounds } from '@sluice/core/model'

/** How feed actions sign what they send to `/v1/lifecycle` (feeds.md §1.6). */
export const signatureHeaders = { timestamp: 'sluice-timestamp', signature: 'sluice-signature' } as const

/** HMAC-SHA256 in hex over `<timestamp>.<body>`; the timestamp is epoch seconds as text. */
export function sign(token: string, timestamp: string, body: string | Uint8Array): string {
  return createHmac('sha256', token).update(`${timestamp}.`).update(body).digest('hex')
}

/** True for the right signature and a time within the window, in constant time. */
export function verify(
  token: string,
  headers: { timestamp: unknown; signature: unknown },
  body: string | Uint8Array,
  nowMs: number,
): boolean {
  const { timestamp, signature } = headers
  if (typeof timestamp !== 'string' || typeof signature !== 'string' || !/^\d{1,12}$/.test(timestamp)) return false
  const expected = Buffer.from(sign(token, timestamp, body))
  const given = Buffer.from(signature)
  const equal = given.length === expected.length && timingSafeEqual(given, expected)
  return equal && Math.abs(nowMs - Number(timestamp) * 1000) <= bounds.feeds.signatureWindowMs
}
