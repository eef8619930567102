import { parseJson, stringifyJson, type ActivationMessage } from '../model/index.ts'
import type { KeyRing } from '../spi/index.ts'
import type { RunnableAction } from './action-source.ts'

/** The bodies of `/init` and `/run` (runtimes.md §1.2, §1.3). */

/** What a run tells its action beside the arguments; times are epoch milliseconds. */
export type RunContext = { readonly deadlineMs: number; readonly attempt: number; readonly apiKey?: string }

export type RunArguments = { readonly value: string; readonly env: Readonly<Record<string, string>> }

/** Splits a message's arguments into those of the run (JSON text) and the environment of `/init`; opens locked ones. */
export function splitArguments(message: ActivationMessage, keyRing: KeyRing): RunArguments {
  if (!message.initArgs?.length && !message.lockedArgs?.length) return { value: message.content, env: {} }
  const content = parseJson(message.content)
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    return { value: message.content, env: {} }
  const locked = new Map(message.lockedArgs?.map(({ key, bind }) => [key, bind]))
  const init = new Set(message.initArgs)
  const value: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  const env: Record<string, string> = {}
  for (const [key, stored] of Object.entries(content)) {
    const bind = locked.get(key)
    const open: unknown =
      bind !== undefined && typeof stored === 'string' ? parseJson(keyRing.decrypt(stored, bind)) : stored
    if (init.has(key)) env[key] = environmentText(open)
    else value[key] = open
  }
  return { value: stringifyJson(value), env }
}

/** null is '', booleans and numbers their text, objects compact JSON (runtimes.md §1.2). */
function environmentText(value: unknown): string {
  if (value === null) return ''
  return typeof value === 'string' ? value : stringifyJson(value)
}

export function initBody(
  runnable: RunnableAction,
  message: ActivationMessage,
  context: RunContext,
  env: Readonly<Record<string, string>>,
): string {
  const { action, exec, code } = runnable
  const value = {
    name: action.name,
    main: exec.main ?? 'main',
    ...(code === undefined ? {} : { code }),
    binary: exec.binary,
    env: {
      ...env,
      __OW_NAMESPACE: message.user.namespace.name,
      __OW_ACTION_NAME: `/${runnable.id}`,
      __OW_ACTION_VERSION: action.version,
      __OW_ACTIVATION_ID: message.activationId,
      __OW_TRANSACTION_ID: message.transid,
      __OW_DEADLINE: String(context.deadlineMs),
      ...(context.apiKey === undefined ? {} : { __OW_API_KEY: context.apiKey }),
    },
  }
  return JSON.stringify({ value })
}

/** The arguments go in as the text they came in: nothing is parsed or copied that need not be. */
export function runBody(
  runnable: RunnableAction,
  message: ActivationMessage,
  context: RunContext,
  value: string,
): string {
  const head = JSON.stringify({
    namespace: message.user.namespace.name,
    action_name: `/${runnable.id}`,
    action_version: runnable.action.version,
    activation_id: message.activationId,
    transaction_id: message.transid,
    deadline: String(context.deadlineMs),
    ...(context.apiKey === undefined ? {} : { api_key: context.apiKey }),
    ...(message.traceparent === undefined ? {} : { traceparent: message.traceparent }),
    ...(message.origin.kind === 'rule' ? { sluice_attempt: String(context.attempt) } : {}),
  })
  return `${head.slice(0, -1)},"value":${value}}`
}
