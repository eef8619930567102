import { stringifyJson, type Parameters } from '../model/index.ts'
import type { ResolvedAction } from './services.ts'

/**
 * Merges predefined parameters with a payload as JSON text (rest-api.md §5.5): the payload is spliced in as it came, so
 * that no digit changes and nothing large is parsed and written again.
 */

export type RunArguments = {
  /** JSON text of the merged object. */
  readonly content: string
  readonly initArgs?: readonly string[]
  readonly lockedArgs?: readonly { readonly key: string; readonly bind: string }[]
}

/** `payload` is JSON text of an object, `payloadKeys` its own keys. */
export function mergeArguments(action: ResolvedAction, payload: string, payloadKeys: readonly string[]): RunArguments {
  const { parameters } = action
  if (parameters.length === 0) return { content: payload }
  const own = new Set(payloadKeys)
  const predefined = textOf(parameters).filter(({ key }) => !own.has(key))
  const initArgs = parameters.filter(({ init }) => init).map(({ key }) => key)
  const lockedArgs = predefined.flatMap(({ key, bind }) => (bind === undefined ? [] : [{ key, bind }]))
  return {
    content: spliceObject(
      predefined.map(({ text }) => text),
      payload,
      payloadKeys.length === 0,
    ),
    ...(initArgs.length === 0 ? {} : { initArgs }),
    ...(lockedArgs.length === 0 ? {} : { lockedArgs }),
  }
}

/** Puts members before those of an object's text. */
export function spliceObject(members: readonly string[], object: string, objectIsEmpty: boolean): string {
  if (members.length === 0) return object
  const rest = object.slice(object.indexOf('{') + 1)
  return `{${members.join(',')}${objectIsEmpty ? '' : ','}${rest}`
}

type ParameterText = { readonly key: string; readonly text: string; readonly bind?: string }
const texts = new WeakMap<Parameters, readonly ParameterText[]>()

/** The members' texts, made once for each resolved action. Encrypted values name the entity that they are bound to. */
function textOf(parameters: Parameters): readonly ParameterText[] {
  let known = texts.get(parameters)
  if (!known) {
    known = parameters.map(({ key, value, encryption }) => ({
      key,
      text: `${JSON.stringify(key)}:${stringifyJson(value)}`,
      ...(encryption?.startsWith(lockScheme)
        ? { bind: `parameter:${encryption.slice(lockScheme.length)}:${key}` }
        : {}),
    }))
    texts.set(parameters, known)
  }
  return known
}

/** `encryption` of a parameter that the hub itself locked: the scheme, then the id of the document it belongs to. */
export const lockScheme = 'sluice-1:'
