import { AsyncLocalStorage } from 'node:async_hooks'
import {
  activationEnvironment,
  exportEnvironment,
  makeEnvironmentContextAware,
  type Environment,
} from './environment.ts'

/** Second argument of an action's entry: which activation this is. Fields the platform did not send are missing. */
export type ActivationContext = {
  readonly activationId?: string
  readonly namespace?: string
  readonly actionName?: string
  readonly actionVersion?: string
  readonly transactionId?: string
  /** Epoch in milliseconds at which the platform gives up on this activation. */
  readonly deadline?: number
  readonly apiHost?: string
  readonly apiKey?: string
}

export type Activation = { readonly context: ActivationContext; readonly environment: Environment }

/** Answers "which activation does the code that runs now belong to?", also for code far from the entry. */
export interface ActivationScope {
  getStore(): ActivationContext | undefined
  /** Calls `entry` with the activation's variables in `process.env` and the activation as the current one. */
  run(activation: Activation, entry: () => unknown): unknown
}

/** Where user code finds the scope: `globalThis[Symbol.for('sluice.activation')].getStore()`. */
export const scopeSymbol = Symbol.for('sluice.activation')

/** Reads the fields around `value` in a /run body. */
export function openActivation(message: Record<string, unknown>): Activation {
  const environment = activationEnvironment(message)
  const deadline = environment['__OW_DEADLINE']
  const context: Record<string, unknown> = {
    activationId: environment['__OW_ACTIVATION_ID'],
    namespace: environment['__OW_NAMESPACE'],
    actionName: environment['__OW_ACTION_NAME'],
    actionVersion: environment['__OW_ACTION_VERSION'],
    transactionId: environment['__OW_TRANSACTION_ID'],
    deadline: deadline === undefined ? undefined : Number(deadline),
    apiHost: environment['__OW_API_HOST'] ?? process.env['__OW_API_HOST'],
  }
  if (environment['__OW_API_KEY'] !== undefined) context['apiKey'] = environment['__OW_API_KEY']
  return { context, environment }
}

/** One run at a time: the newest activation is the current one, so nothing has to be tracked through promises. */
export function createSingleScope(): ActivationScope {
  let current: ActivationContext | undefined
  return {
    getStore: () => current,
    run(activation, entry) {
      current = activation.context
      exportEnvironment(activation.environment)
      return entry()
    },
  }
}

/** Runs that overlap: AsyncLocalStorage tells them apart, and `process.env` asks it (runtimes.md §1.6). */
export function createConcurrentScope(): ActivationScope {
  const storage = new AsyncLocalStorage<Activation>()
  makeEnvironmentContextAware(() => storage.getStore()?.environment)
  return {
    getStore: () => storage.getStore()?.context,
    run: (activation, entry) => storage.run(activation, entry),
  }
}
