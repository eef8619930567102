import { bounds, SluiceError, topics, type ActivationMessage } from '@sluice/core/model'
import type { Invoker } from '@sluice/core/invoker'
import type { LoadBalancer, MessageBus, RecordTail } from '@sluice/core/spi'

type Backlog = { readonly backlogMax: number; readonly backlogBytesMax: number }

/** Direct work of one namespace without a record: all of it, and what of it was taken to run some time. */
type Account = { inFlight: number; backlog: number; backlogBytes: number }

/**
 * The balancer of a hub in one process: blocking invokes go straight to its only invoker, everything else over the bus,
 * so that an accepted message outlives the process. Non-blocking invokes are bounded per namespace by what has no record
 * yet (counted since the start of the process); runs of rules are bounded by their fires.
 */
export function createLocalBalancer(deps: {
  bus: MessageBus
  invoker: Pick<Invoker, 'run'>
  instance: number
  tail: RecordTail
  limits?: Backlog
}): LoadBalancer {
  const topic = topics.invoker(deps.instance)
  const { backlogMax, backlogBytesMax } = deps.limits ?? bounds.invoker
  /** By activation id: the namespace that is charged, and the bytes if it lies on the bus. */
  const charged = new Map<string, { uuid: string; bytes: number | undefined }>()
  const accounts = new Map<string, Account>()

  deps.tail.listen(record => discharge(record.activationId))

  return {
    invoke(message) {
      const invocation = deps.invoker.run(message)
      charge(message)
      invocation.outcome.catch(() => discharge(message.activationId))
      return invocation
    },
    async publish(messages) {
      const outgoing = messages.map(message => ({
        // Whose it is: the invoker shares itself out between keys.
        key: message.user.namespace.uuid,
        body: Buffer.from(JSON.stringify(message)),
      }))
      const direct = messages.filter(({ origin }) => origin.kind === 'direct')
      for (const { user } of direct) refuseIfFull(user.namespace.uuid)
      for (const [index, message] of messages.entries()) {
        if (message.origin.kind === 'direct') charge(message, outgoing[index]?.body.byteLength)
      }
      try {
        await deps.bus.publish(topic, outgoing)
      } catch (error) {
        for (const { activationId } of direct) discharge(activationId)
        throw error
      }
    },
    inFlight: uuid => accounts.get(uuid)?.inFlight ?? 0,
    unready: () => undefined,
  }

  function refuseIfFull(uuid: string): void {
    const account = accounts.get(uuid)
    if (!account || (account.backlog < backlogMax && account.backlogBytes < backlogBytesMax)) return
    throw new SluiceError(
      'SLUICE_OVERLOADED',
      'Too many activations of this namespace wait to be run; try again later.',
    )
  }

  function charge({ activationId, user }: ActivationMessage, bytes?: number): void {
    const { uuid } = user.namespace
    charged.set(activationId, { uuid, bytes })
    const account = accounts.get(uuid) ?? { inFlight: 0, backlog: 0, backlogBytes: 0 }
    accounts.set(uuid, account)
    account.inFlight++
    if (bytes === undefined) return
    account.backlog++
    account.backlogBytes += bytes
  }

  function discharge(activationId: string): void {
    const charge = charged.get(activationId)
    if (!charge) return
    charged.delete(activationId)
    const account = accounts.get(charge.uuid)
    if (!account) return
    account.inFlight--
    if (charge.bytes !== undefined) {
      account.backlog--
      account.backlogBytes -= charge.bytes
    }
    if (account.inFlight === 0) accounts.delete(charge.uuid)
  }
}
