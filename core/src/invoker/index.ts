export { createInvoker, type Invoker, type InvokerObserver, type InvokerOptions } from './invoker.ts'
export { deadLetterKey, pruneDeadLetters, type DeadLetter } from './dead-letters.ts'
export type { StemCell } from './stem-cells.ts'
export type { PoolStats, StartKind } from './container-pool.ts'
