import { isTruthy, valueOf, type Parameter, type Parameters, type WhiskAction } from '../model/index.ts'

/** Arguments of runs: merged by top-level key, later layers win (rest-api.md §5.5). */

/** One list from the layers, lowest first; a key keeps the place where it came first. */
export function mergeParameters(layers: readonly Parameters[]): Parameters {
  if (layers.length === 1) return layers[0] ?? []
  const merged = new Map<string, Parameter>()
  for (const layer of layers) for (const parameter of layer) merged.set(parameter.key, parameter)
  return [...merged.values()]
}

/** Whether the payload defines what a `final` action has defined: a parameter that is null may still be supplied
 *  (rest-api.md §5.6). `parameters` are the effective ones. */
export function redefinesFinal(
  action: Pick<WhiskAction, 'annotations'>,
  parameters: Parameters,
  payloadKeys: readonly string[],
): boolean {
  if (payloadKeys.length === 0 || !isTruthy(valueOf(action.annotations, 'final'))) return false
  return parameters.some(({ key, value }) => value !== null && payloadKeys.includes(key))
}
