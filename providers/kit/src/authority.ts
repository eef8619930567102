import { bounds } from '@sluice/core/model'
import type { Clock } from '@sluice/core/spi'
import type { HubClient } from '@sluice/core/client'
import { FeedError } from './feed-error.ts'
import type { ProviderTexts } from './feed.ts'
import type { TriggerRef } from './trigger-name.ts'

/** The key's form is checked before anything else is asked of it (feeds.md §1.4). Throws FeedError. */
export function readAuthKey(value: unknown): string {
  if (typeof value !== 'string' || !value.includes(':')) {
    throw new FeedError(400, 'no valid authKey parameter was provided', { code: 'SLUICE_FEED_AUTH' })
  }
  return value
}

/**
 * Asks the hub whether the key may read the trigger: the one proof of authority (feeds.md §1.4). Nothing is cached; a
 * network failure or 5xx is tried again twice. `missingIsFine`: for DELETE, whose trigger may be gone already. Resolves
 * to the trigger, if there is one. Throws FeedError.
 */
export async function checkAuthority(options: {
  client: HubClient
  clock: Clock
  texts: ProviderTexts
  trigger: TriggerRef
  authKey: string
  missingIsFine: boolean
  signal: AbortSignal
}): Promise<unknown> {
  const { client, clock, texts, trigger, signal } = options
  let failure: { status: number; cause?: unknown } = { status: 503 }
  for (let attempt = 0; attempt <= bounds.feeds.authorityRetries; attempt++) {
    if (attempt > 0) await clock.sleep(bounds.feeds.authorityBackoffMs * attempt, signal)
    try {
      const answer = await client.getTrigger(
        { namespace: trigger.namespace, name: trigger.trigger },
        { auth: options.authKey, totalMs: bounds.feeds.authorityTimeoutMs, signal },
      )
      if (answer.status === 200) return answer.body
      if (answer.status === 404 && options.missingIsFine) return undefined
      failure = { status: answer.status >= 400 ? answer.status : 502 }
      if (answer.status < 500) break
    } catch (cause) {
      signal.throwIfAborted()
      failure = { status: 503, cause }
    }
  }
  throw new FeedError(texts.unauthorizedStatus ?? failure.status, texts.unauthorized, {
    code: failure.status < 500 ? 'SLUICE_FEED_AUTH' : 'SLUICE_REQUEST',
    cause: failure.cause,
  })
}
