import { bounds, type ActivationMessage } from '../model/index.ts'
import type { Clock, StateStore } from '../spi/index.ts'

/** Runs of rules whose attempts are used up, kept with everything needed to run them again (design.md §3.5). */
export type DeadLetter = {
  readonly id: string
  readonly activationId: string
  readonly fireId: string
  readonly rule: string
  readonly action: string
  readonly reason: string
  readonly attempts: number
  readonly atMs: number
  readonly message: ActivationMessage
}

/** Key of a namespace's dead letters in the state store; ids sort by time. */
export function deadLetterKey(namespace: string, id?: string): string {
  return `deadletters/${namespace}/${id ?? ''}`
}

/** Writes the entry; writing it again under the same id changes nothing that matters. */
export async function writeDeadLetter(
  state: StateStore,
  clock: Clock,
  message: ActivationMessage,
  reason: string,
  attempts: number,
): Promise<void> {
  if (message.origin.kind !== 'rule') return
  const { fireId, rule } = message.origin
  const namespace = message.user.namespace.name
  const letter: DeadLetter = {
    id: message.activationId,
    activationId: message.activationId,
    fireId,
    rule,
    action: message.action.id,
    reason,
    attempts,
    atMs: clock.nowMs(),
    message,
  }
  await state.put(deadLetterKey(namespace, letter.id), letter, 'any')
}

/** Drops what is over its age or number, oldest first; resolves to how many. */
export async function pruneDeadLetters(
  state: StateStore,
  clock: Clock,
  limits: { readonly deadLetterTtlMs: number; readonly deadLettersPerRuleMax: number } = bounds.fire,
): Promise<number> {
  const { deadLetterTtlMs, deadLettersPerRuleMax } = limits
  const perRule = new Map<string, { key: string; atMs: number }[]>()
  let dropped = 0
  let after: string | undefined
  for (;;) {
    const page = await state.scan({
      prefix: 'deadletters/',
      limit: bounds.store.scanMax,
      ...(after === undefined ? {} : { after }),
    })
    for (const { key, value } of page) {
      const { rule, atMs } = value as DeadLetter
      if (clock.nowMs() - atMs > deadLetterTtlMs) {
        await state.delete(key)
        dropped++
        continue
      }
      const list = perRule.get(rule) ?? []
      list.push({ key, atMs })
      perRule.set(rule, list)
    }
    after = page.at(-1)?.key
    if (page.length < bounds.store.scanMax) break
  }
  for (const list of perRule.values()) {
    if (list.length <= deadLettersPerRuleMax) continue
    list.sort((a, b) => a.atMs - b.atMs)
    for (const { key } of list.slice(0, list.length - deadLettersPerRuleMax)) {
      await state.delete(key)
      dropped++
    }
  }
  return dropped
}
