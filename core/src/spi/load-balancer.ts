import type { ActivationMessage, ActivationRecord } from '../model/index.ts'

/** Brings activations to invokers. Embedded: the one invoker of this process; distributed: topic `invoker<N>`. */
export interface LoadBalancer {
  /** A direct blocking invoke: `outcome` resolves when the terminal record is durable (design.md §3.7). A bounded wait
   *  gives `accepted` instead: from then on the run is recorded even if nobody waits. Rejects with SLUICE_OVERLOADED or
   *  SLUICE_NO_INVOKER before anything is accepted. */
  invoke(message: ActivationMessage): Invocation
  /** Non-blocking work, direct or rule-fired: resolves once every message is durable on the bus. */
  publish(messages: readonly ActivationMessage[]): Promise<void>
  /** Running and queued activations of a namespace (by its uuid), for the concurrency throttle. */
  inFlight(namespaceUuid: string): number
  /** What is missing before work can be taken, or nothing. */
  unready(): string | undefined
}

export type Invocation = {
  /** Resolves once the activation is durable: it will have a record. */
  accepted: Promise<void>
  /** Resolves with the terminal record once it is durable. */
  outcome: Promise<ActivationRecord>
}
