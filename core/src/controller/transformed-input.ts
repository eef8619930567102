import { JsonataError, type JsonataEvaluator } from '@sluice/cloudevents/jsonata'
import type { FireContent } from '../model/index.ts'
import { eventText, type ActionInput } from './action-input.ts'

/**
 * What a rule's transform makes of the event (events.md §3.3), or why it makes nothing: an error of its developer. Rejects
 * when nothing is wrong with the expression but the evaluator is not there.
 */
export async function transformedInput(
  fire: FireContent,
  expression: string,
  jsonata: JsonataEvaluator,
): Promise<ActionInput | { readonly problem: string }> {
  let result: unknown
  try {
    result = await jsonata.evaluate(expression, JSON.parse(eventText(fire)))
  } catch (error) {
    if (!(error instanceof JsonataError) || error.kind === 'closed') throw error
    return { problem: `The transform failed: ${error.message}` }
  }
  if (typeof result !== 'object' || result === null || Array.isArray(result))
    return { problem: 'The transform did not give an object.' }
  return { text: JSON.stringify(result), keys: Object.keys(result) }
}
