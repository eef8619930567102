/** Webhook handshake (HTTP 1.1 Web Hooks for Event Delivery §4): what a target answers to OPTIONS before it gets events. */
import { headerOf, type HttpHeaders } from './mode.ts'

export type WebhookPolicy = {
  /** Senders that may deliver; `*` stands for all. */
  readonly origins: readonly string[]
  /** Requests a minute at most; missing means no limit. */
  readonly rate?: number
  /** Grant later, by a request to the sender's callback, and not in the answer. */
  readonly grantByCallback?: boolean
}

export type WebhookAnswer = {
  readonly granted: boolean
  /** For the answer, whose status is 200. */
  readonly headers: Readonly<Record<string, string>>
  /** Where to grant when the policy says so and the sender has a callback (an https or http URL). */
  readonly callback: string | undefined
}

/**
 * The answer to a handshake, or nothing if the request is none (no `WebHook-Request-Origin`). The rate that is granted is
 * the asked one, but never more than the policy's; what is asked and is no positive integer counts as not asked.
 */
export function answerWebhookHandshake(request: HttpHeaders, policy: WebhookPolicy): WebhookAnswer | undefined {
  const origin = headerOf(request, 'webhook-request-origin')?.trim()
  if (origin === undefined || origin === '') return undefined
  const headers: Record<string, string> = { Allow: 'POST' }
  const callback = callbackOf(headerOf(request, 'webhook-request-callback'))
  const known = policy.origins.some(one => one === '*' || one.toLowerCase() === origin.toLowerCase())
  const granted = known && policy.grantByCallback !== true
  if (granted) {
    headers['WebHook-Allowed-Origin'] = origin
    headers['WebHook-Allowed-Rate'] = rateOf(headerOf(request, 'webhook-request-rate'), policy.rate)
  }
  return { granted, headers, callback: policy.grantByCallback === true ? callback : undefined }
}

function rateOf(asked: string | undefined, most: number | undefined): string {
  const rate = asked !== undefined && /^[1-9]\d{0,9}$/.test(asked.trim()) ? Number(asked) : undefined
  if (most === undefined) return rate === undefined ? '*' : String(rate)
  return String(rate === undefined ? most : Math.min(rate, most))
}

function callbackOf(text: string | undefined): string | undefined {
  return text !== undefined && /^https?:\/\//i.test(text) && URL.canParse(text) ? text : undefined
}
