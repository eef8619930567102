/** JSONata that is run, not only compiled: the child ends what takes too long, and answers what comes after it. */
import { afterAll, expect, it } from 'vitest'
import { seeded } from '../testing/mutate.ts'
import { createChildEvaluator } from './jsonata/evaluator-lanes.ts'
import { JsonataError } from './jsonata/evaluator.ts'
import { checkJsonata } from './jsonata/syntax.ts'
import { brokenText, jsonataPieces } from './testing/broken-text.ts'
import { randomEvent } from './testing/random-filters.ts'

const runs = 10_000
const jsonata = createChildEvaluator()
afterAll(() => jsonata.close())

it('JSONata, 10,000 broken expressions that compile, has a result or an error and nothing else [sec:S3]', async () => {
  const outcomes = { results: 0, errors: 0 }
  for (let seed = 0; outcomes.results + outcomes.errors < runs; seed++) {
    const next = seeded(seed)
    const expression = brokenText(next, jsonataPieces, 10)
    if (checkJsonata(expression) !== undefined) continue
    const { attributes, data } = randomEvent(next)
    const since = performance.now()
    try {
      await jsonata.evaluate(expression, { ...attributes, data })
      outcomes.results++
    } catch (error) {
      if (!(error instanceof JsonataError)) throw new Error(`seed ${seed}`, { cause: error })
      outcomes.errors++
    }
    if (performance.now() - since > 1000) throw new Error(`seed ${seed} took more than a second`)
  }
  expect(outcomes.results).toBeGreaterThan(runs / 10)
  expect(outcomes.errors).toBeGreaterThan(runs / 100)
})
