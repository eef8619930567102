import { ApiError, type ActivationMessage } from '../model/index.ts'
import type { Clock, KeyRing, LoadBalancer, Random } from '../spi/index.ts'
import { mergeArguments } from './arguments.ts'
import { lockFeedKey } from './feed-key.ts'
import type { InvokeCall, InvokeService } from './services.ts'

/** Turns an invoke into an activation message and waits for its record as long as the caller does (rest-api.md §5). */
export function createInvokeService({
  balancer,
  clock,
  random,
  keyRing,
}: {
  balancer: LoadBalancer
  clock: Clock
  random: Random
  keyRing: KeyRing
}): InvokeService {
  return {
    async invoke(call) {
      // The seam for compositions: a sequence is run by the controller, not by an invoker.
      if (call.action.action.exec.kind === 'sequence')
        throw new ApiError(501, 'Sequences cannot be invoked yet; invoke their components.')
      const message = lockFeedKey(messageOf(call, random.hexId(), clock.nowMs()), call.payloadKeys, keyRing)
      if (!call.blocking) {
        await balancer.publish([message])
        return { activationId: message.activationId }
      }
      const { accepted, outcome } = balancer.invoke(message)
      const record = await withinWait(outcome, call.waitMs, clock)
      if (record) return { activationId: message.activationId, record }
      await accepted
      return { activationId: message.activationId }
    },
  }
}

function messageOf(call: InvokeCall, activationId: string, nowMs: number): ActivationMessage {
  const { action, identity } = call
  const { storeActivations: _, ...limitsThatStore } = identity.limits
  return {
    activationId,
    transid: call.transid,
    action: { id: action.id, version: action.action.version, revision: action.revision },
    ...(action.binding === undefined ? {} : { binding: action.binding }),
    user: call.extraLogging ? { ...identity, limits: limitsThatStore } : identity,
    blocking: call.blocking,
    ...mergeArguments(action, call.payload, call.payloadKeys),
    acceptedAtMs: nowMs,
    origin: { kind: 'direct' },
    ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
  }
}

/** The value, or nothing when it takes longer. */
function withinWait<T>(work: Promise<T>, waitMs: number, clock: Clock): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(waitMs, () => resolve(undefined))
    work.then(
      value => {
        timer.cancel()
        resolve(value)
      },
      (error: unknown) => {
        timer.cancel()
        reject(error instanceof Error ? error : new Error(String(error)))
      },
    )
  })
}
