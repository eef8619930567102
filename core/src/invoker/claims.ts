import { bounds, SluiceError, topics, type ActivationMessage, type Claim } from '../model/index.ts'
import type { Clock, MessageBus, Random, Subscription } from '../spi/index.ts'

/**
 * The invoker's own memory of what it may have sent to a container (design.md §4, reliability.md §6.5.1). A claim lies
 * on topic `claims<N>` before `/run` is sent; it is done when the activation's terminal record is durable. What is not
 * done when the process starts was in flight when the last one died.
 */
export type Claims = {
  /** Resolves when the claim is durable. */
  claim(message: ActivationMessage, attempt: number): Promise<void>
  /** The terminal record is durable: every claim of this activation is done, if there is one. */
  settle(activationId: string): void
  /** The highest attempt that an earlier process claimed and did not settle. */
  earlierAttempts(activationId: string): number
  /** Reads what the last process left; resolves to those claims, which stay open until they are settled. */
  start(): Promise<Claim[]>
  close(): Promise<void>
}

export function createClaims(bus: MessageBus, instance: number, clock: Clock, random: Random): Claims {
  const topic = topics.claims(instance)
  const open = new Map<string, { resolve: () => void; reject: (error: Error) => void }[]>()
  const earlier = new Map<string, Claim>()
  /** Claims of this process that the bus has not handed back yet, counted by activation. */
  const onTheWay = new Map<string, number>()
  /** Settled while a claim was on the way: it is done when it comes. */
  const settledEarly = new Set<string>()
  let subscription: Subscription | undefined

  async function start(): Promise<Claim[]> {
    await bus.ensureTopic(topic, {
      partitions: 1,
      retentionMs: bounds.bus.retentionMs,
      messageBytesMax: bounds.bus.messageBytesMax,
    })
    // Everything older than this marker has been handed over once the marker is.
    const marker = `marker-${random.hexId()}`
    let reached: () => void = () => undefined
    const caughtUp = new Promise<void>(resolve => (reached = resolve))
    subscription = await bus.subscribe(
      topic,
      { group: `invoker${instance}`, from: 'earliest', concurrency: bounds.invoker.claimsMax, order: 'none' },
      message => {
        const id = message.key ?? ''
        if (id === marker) reached()
        if (id.startsWith('marker-')) return Promise.resolve()
        if (message.redelivered) remember(message.body)
        if (arrived(id)) return Promise.resolve()
        return new Promise((resolve, reject) => {
          const waiting = open.get(id)
          if (waiting) waiting.push({ resolve, reject })
          else open.set(id, [{ resolve, reject }])
        })
      },
    )
    await bus.publish(topic, [{ key: marker, body: new Uint8Array() }])
    await caughtUp
    return [...earlier.values()]
  }

  /** Counts a claim as handed back; true when its activation was settled before. */
  function arrived(id: string): boolean {
    const early = settledEarly.has(id)
    const left = (onTheWay.get(id) ?? 1) - 1
    if (left > 0) onTheWay.set(id, left)
    else {
      onTheWay.delete(id)
      settledEarly.delete(id)
    }
    return early
  }

  function remember(body: Uint8Array): void {
    const claim = JSON.parse(Buffer.from(body).toString()) as Claim
    const known = earlier.get(claim.activationId)
    if (!known || known.attempt < claim.attempt) earlier.set(claim.activationId, claim)
  }

  function settle(id: string): void {
    earlier.delete(id)
    if (onTheWay.has(id)) settledEarly.add(id)
    const waiting = open.get(id)
    if (!waiting) return
    open.delete(id)
    for (const { resolve } of waiting) resolve()
  }

  return {
    async claim(message, attempt) {
      const { activationId } = message
      const claim: Claim = { activationId, attempt, claimedAtMs: clock.nowMs(), message }
      onTheWay.set(activationId, (onTheWay.get(activationId) ?? 0) + 1)
      try {
        await bus.publish(topic, [{ key: activationId, body: Buffer.from(JSON.stringify(claim)) }])
      } catch (error) {
        // It may come all the same; then it stays open until the next start finds the record.
        arrived(activationId)
        throw error
      }
    },
    settle,
    earlierAttempts: id => earlier.get(id)?.attempt ?? 0,
    start,
    async close() {
      // Open claims stay undone on purpose: the next process must see them.
      const closed = new SluiceError('SLUICE_CLOSED', 'The invoker is shutting down.')
      for (const waiting of open.values()) for (const { reject } of waiting) reject(closed)
      open.clear()
      await subscription?.close()
    },
  }
}
