/**
 * JSONata for everybody: expressions that ended a child process are evaluated by a second one, so that the others do not
 * wait while it is started anew, and are asked more and more rarely as long as they do it again.
 */
import { createHash } from 'node:crypto'
import { filterLimits } from '../limits.ts'
import { ChildEvaluator, turnedAway, type ChildEvaluatorOptions } from './child-evaluator.ts'
import { JsonataError, type JsonataEvaluator } from './evaluator.ts'
import { checkJsonata } from './syntax.ts'

/** Times in a row that the expression ended a process, and when it may be asked again. */
type Suspect = { times: number; untilMs: number }

/** Two warm children at most. Does not keep the process alive while nothing is being evaluated. */
export function createChildEvaluator(options: ChildEvaluatorOptions = {}): JsonataEvaluator {
  /** By hash of the expression; first those that did it last the longest ago. */
  const suspects = new Map<string, Suspect>()

  function suspectOf(expression: string): Suspect | undefined {
    return suspects.size === 0 ? undefined : suspects.get(keyOf(expression))
  }

  function isPaused(suspect: Suspect | undefined): boolean {
    return suspect !== undefined && suspect.untilMs > performance.now()
  }

  function ended(expression: string): void {
    const key = keyOf(expression)
    const times = (suspects.get(key)?.times ?? 0) + 1
    const pauseMs = Math.min(filterLimits.jsonataPauseMs * 2 ** (times - 1), filterLimits.jsonataPauseMsMax)
    suspects.delete(key)
    suspects.set(key, { times, untilMs: performance.now() + pauseMs })
    const [oldest] = suspects.keys()
    if (suspects.size > filterLimits.jsonataSuspectsMax && oldest !== undefined) suspects.delete(oldest)
  }

  const usual = new ChildEvaluator(options, { turnsAway: expression => suspectOf(expression) !== undefined, ended })
  const suspicious = new ChildEvaluator(options, { turnsAway: expression => isPaused(suspectOf(expression)), ended })

  async function evaluate(expression: string, input: unknown): Promise<unknown> {
    const suspect = suspectOf(expression)
    if (isPaused(suspect))
      throw new JsonataError('time', 'the expression ended its process before and is not asked for a while')
    try {
      const result = await (suspect ? suspicious : usual).evaluate(expression, input)
      if (suspect) suspect.times = 0
      return result
    } catch (error) {
      // While it waited, the same expression ended a process.
      if (error === turnedAway) return evaluate(expression, input)
      throw error
    }
  }

  return {
    check: checkJsonata,
    evaluate,
    close: async () => void (await Promise.all([usual.close(), suspicious.close()])),
  }
}

function keyOf(expression: string): string {
  return createHash('sha256').update(expression).digest('base64')
}
