import { ApiError, type ActivationMessage, type RunOrigin } from '../model/index.ts'
import type { Clock, KeyRing, LoadBalancer, Random } from '../spi/index.ts'
import { mergeArguments } from './arguments.ts'
import { lockFeedKey } from './feed-key.ts'
import { createInvokeOnce, type InvokeOnceDependencies } from './invoke-once.ts'
import type { InvokeCall, InvokeService } from './services.ts'
import { withinWait } from './within-wait.ts'

/** Turns an invoke into an activation message and waits for its record as long as the caller does (rest-api.md §5). */
export function createInvokeService({
  balancer,
  clock,
  random,
  keyRing,
  once,
}: {
  balancer: LoadBalancer
  clock: Clock
  random: Random
  keyRing: KeyRing
  /** How calls with an `Idempotency-Key` are done; without it the key means nothing. */
  once?: InvokeOnceDependencies
}): InvokeService {
  const invokeOnce = once && createInvokeOnce(once)

  function messageFor(call: InvokeCall, activationId: string, origin: RunOrigin): ActivationMessage {
    return lockFeedKey(messageOf(call, activationId, clock.nowMs(), origin), call.payloadKeys, keyRing)
  }

  return {
    async invoke(call) {
      // The seam for compositions: a sequence is run by the controller, not by an invoker.
      if (call.action.action.exec.kind === 'sequence')
        throw new ApiError(501, 'Sequences cannot be invoked yet; invoke their components.')
      const { idempotencyKey } = call
      if (invokeOnce && idempotencyKey !== undefined) {
        return invokeOnce({ ...call, idempotencyKey }, activationId => {
          const message = messageFor(call, activationId, { kind: 'direct', identified: true })
          return call.blocking ? balancer.invoke(message) : { accepted: balancer.publish([message]) }
        })
      }
      const message = messageFor(call, random.hexId(), { kind: 'direct' })
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

function messageOf(call: InvokeCall, activationId: string, nowMs: number, origin: RunOrigin): ActivationMessage {
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
    origin,
    ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
  }
}
