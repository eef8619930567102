/** EventBridge patterns on their own, for JSON objects that need not be CloudEvents. */
import { Evaluation } from '../evaluation.ts'
import { subjectOfParts } from '../subject.ts'
import { compilePatternCheck } from './match-pattern.ts'
import { parsePattern } from './parse-pattern.ts'

/** Throws FilterError. The result tells whether an object matches; an error counts as no match. */
export function compilePattern(definition: unknown): (event: Readonly<Record<string, unknown>>) => boolean {
  const check = compilePatternCheck(parsePattern(definition))
  return event => {
    const evaluation = new Evaluation(subjectOfParts(event, event['data']))
    return check(evaluation) && evaluation.error === undefined
  }
}
