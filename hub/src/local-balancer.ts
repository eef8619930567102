import { topics, type ActivationMessage } from '@sluice/core/model'
import type { Invoker } from '@sluice/core/invoker'
import type { LoadBalancer, MessageBus, RecordTail } from '@sluice/core/spi'

/**
 * The balancer of a hub in one process: blocking invokes go straight to its only invoker, everything else over the bus,
 * so that an accepted message outlives the process.
 */
export function createLocalBalancer(deps: {
  bus: MessageBus
  invoker: Invoker
  instance: number
  tail: RecordTail
}): LoadBalancer {
  const topic = topics.invoker(deps.instance)
  /** Direct work without a record, by activation id: the namespace that is charged for it. */
  const charged = new Map<string, string>()
  const counts = new Map<string, number>()

  deps.tail.listen(record => discharge(record.activationId))

  return {
    invoke(message) {
      const invocation = deps.invoker.run(message)
      charge(message)
      invocation.outcome.catch(() => discharge(message.activationId))
      return invocation
    },
    async publish(messages) {
      const direct = messages.filter(({ origin }) => origin.kind === 'direct')
      direct.forEach(charge)
      try {
        await deps.bus.publish(
          topic,
          messages.map(message => ({ key: message.activationId, body: Buffer.from(JSON.stringify(message)) })),
        )
      } catch (error) {
        for (const { activationId } of direct) discharge(activationId)
        throw error
      }
    },
    inFlight: uuid => counts.get(uuid) ?? 0,
    unready: () => undefined,
  }

  function charge({ activationId, user }: ActivationMessage): void {
    charged.set(activationId, user.namespace.uuid)
    counts.set(user.namespace.uuid, (counts.get(user.namespace.uuid) ?? 0) + 1)
  }

  function discharge(activationId: string): void {
    const uuid = charged.get(activationId)
    if (uuid === undefined) return
    charged.delete(activationId)
    const left = (counts.get(uuid) ?? 1) - 1
    if (left > 0) counts.set(uuid, left)
    else counts.delete(uuid)
  }
}
