import { bounds } from '@sluice/core/model'
import type { Answer, HubClient } from '@sluice/core/client'
import type { Random } from '@sluice/core/spi'
import type { Session } from './feed.ts'
import type { LifecycleParts } from './lifecycle.ts'
import { backoffMs } from './retry.ts'
import { openAuthKey } from './subscription.ts'

type RemovalParts = Pick<
  LifecycleParts,
  'registry' | 'live' | 'locks' | 'clock' | 'log' | 'keyRing' | 'deadLetters' | 'definition'
> & { client: HubClient; random: Random }

/**
 * Deletes the subscription of a session and, before it, its trigger and the trigger's rules where they were asked for.
 * In this order a crash in between leaves a subscription that does it again. Resolves to false when the hub refused to
 * delete: the subscription is still there then.
 */
export async function removeSession(
  parts: RemovalParts,
  session: Session,
  also: 'nothing' | 'trigger' | 'rules',
): Promise<boolean> {
  const { registry, live, locks, log, definition } = parts
  if (also !== 'nothing') {
    const found = await registry.get(session.id)
    if (found?.document.generation !== session.generation) return true
    const authKey = openAuthKey(parts.keyRing, `${definition.name}:${session.id}`, found.document)
    if (!(await deleteTrigger(parts, session, authKey, also === 'rules'))) {
      log.warn({ subscription: session.id }, 'the hub refused to delete the trigger of a subscription that is done')
      return false
    }
  }
  await locks.run(session.id, async () => {
    const found = await registry.get(session.id)
    if (found?.document.generation !== session.generation) return
    live.forget(session.id)
    await registry.remove(session.id)
    await parts.deadLetters.drop(session.id)
  })
  return true
}

async function deleteTrigger(
  parts: RemovalParts,
  session: Session,
  auth: string,
  withRules: boolean,
): Promise<boolean> {
  const { client } = parts
  const { namespace, trigger: name } = session
  const call = { auth, totalMs: bounds.feeds.authorityTimeoutMs }
  if (withRules) {
    const trigger = await insist(parts, session, () => client.getTrigger({ namespace, name }, call))
    if (!trigger) return false
    for (const rule of rulesOf(trigger.body)) {
      const [ruleNamespace = namespace, ruleName = ''] = rule.split('/')
      const deleted = await insist(parts, session, () =>
        client.deleteRule({ namespace: ruleNamespace, name: ruleName }, call),
      )
      if (!deleted) return false
    }
  }
  return (await insist(parts, session, () => client.deleteTrigger({ namespace, name }, call))) !== undefined
}

/** Tries until the hub did it or says that it is done already (404); nothing when it refuses or time is up. */
async function insist(parts: RemovalParts, session: Session, send: () => Promise<Answer>): Promise<Answer | undefined> {
  for (let attempt = 1; attempt <= bounds.feeds.maxAttempts; attempt++) {
    try {
      const answer = await send()
      if (answer.status < 300 || answer.status === 404) return answer
      if (answer.status < 500 && answer.status !== 409 && answer.status !== 429) return undefined
    } catch (error) {
      parts.log.debug({ subscription: session.id, err: error }, 'deleting after the fire is tried again')
    }
    await parts.clock.sleep(backoffMs(attempt, parts.random), session.signal)
  }
  return undefined
}

/** A trigger's `rules` are an object by `ns/rule`. */
function rulesOf(trigger: unknown): string[] {
  const rules = (trigger as { rules?: unknown } | undefined)?.rules
  return rules !== null && typeof rules === 'object' ? Object.keys(rules) : []
}
