import { createHash } from 'node:crypto'
import { ApiError, fireIdOf, messages, type ActivationRecord } from '../model/index.ts'
import type { ActivationStore, Clock, Invocation, RecordTail, StateStore } from '../spi/index.ts'
import { createFireIdentities } from './fire-identities.ts'
import type { InvokeCall } from './services.ts'
import { withinWait } from './within-wait.ts'

/**
 * Does an invoke with an `Idempotency-Key` once, however often it is sent within a day (reliability.md R22): the key gives
 * the activation id, and who sends it again gets that activation. The identity is written behind the acceptance, never
 * before it: a crash in between makes the sender try again, and the ids meet.
 */
export type InvokeOnce = (
  call: InvokeCall & { readonly idempotencyKey: string },
  accept: Accept,
) => Promise<{ readonly activationId: string; readonly record?: ActivationRecord }>

/** Begins the run under the id; `outcome` only of a blocking call. */
export type Accept = (activationId: string) => { accepted: Promise<void>; outcome?: Invocation['outcome'] | undefined }

export type InvokeOnceDependencies = {
  readonly activations: ActivationStore
  readonly state: StateStore
  readonly tail: RecordTail
  readonly clock: Clock
}

type Begun = { readonly outcome?: Invocation['outcome'] | undefined }
type UnderWay = { readonly digest: string; readonly begun: Promise<Begun> }

export function createInvokeOnce({ activations, state, tail, clock }: InvokeOnceDependencies): InvokeOnce {
  const identities = createFireIdentities(state, clock)
  /** Until the identity is durable and a blocking run has ended: a run may be accepted and its identity not written. */
  const underWay = new Map<string, UnderWay>()

  function begin(namespace: string, activationId: string, digest: string, accept: Accept): UnderWay {
    const key = `${namespace}/${activationId}`
    let running: Promise<unknown> | undefined
    const first = async (): Promise<Begun> => {
      const known = await identities.find(namespace, activationId)
      if (known) {
        requireSame(known.digest, digest)
        return {}
      }
      // Records are kept for longer than identities.
      if (await activations.get(namespace, activationId)) return {}
      const { accepted, outcome } = accept(activationId)
      running = outcome
      await accepted
      await identities.remember(namespace, activationId, digest, true)
      return { outcome }
    }
    const entry = { digest, begun: first() }
    const forget = (): void => void underWay.delete(key)
    const afterRun = (): void => void (running ?? Promise.resolve()).then(forget, forget)
    entry.begun.then(afterRun, afterRun)
    underWay.set(key, entry)
    return entry
  }

  /** Its record once it is durable, or nothing when that takes longer. */
  async function recordOf(
    namespace: string,
    activationId: string,
    waitMs: number,
  ): Promise<ActivationRecord | undefined> {
    let stop = (): void => undefined
    const told = new Promise<ActivationRecord>(resolve => {
      stop = tail.listen(record => {
        if (record.activationId === activationId && record.namespace === namespace) resolve(record)
      })
    })
    try {
      return (await activations.get(namespace, activationId)) ?? (await withinWait(told, waitMs, clock))
    } finally {
      stop()
    }
  }

  return async (call, accept) => {
    const namespace = call.identity.namespace.name
    const { path, name } = call.action.name
    const activationId = fireIdOf(namespace, `${path}/${name}`, 'urn:sluice:invoke', call.idempotencyKey)
    const digest = createHash('sha256').update(call.payload).digest('hex')
    const earlier = underWay.get(`${namespace}/${activationId}`)
    if (earlier) requireSame(earlier.digest, digest)
    const { outcome } = await (earlier ?? begin(namespace, activationId, digest, accept)).begun
    if (!call.blocking) return { activationId }
    const record = outcome
      ? await withinWait(outcome, call.waitMs, clock)
      : await recordOf(namespace, activationId, call.waitMs)
    return { activationId, ...(record === undefined ? {} : { record }) }
  }
}

function requireSame(known: string, digest: string): void {
  if (known !== digest) throw new ApiError(422, messages.keyConflict)
}
