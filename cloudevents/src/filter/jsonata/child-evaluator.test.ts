import { afterAll, describe, expect, it } from 'vitest'
import { compileFilter } from '../compile-filter.ts'
import { explain } from '../explain.ts'
import { RuleSet } from '../matching/rule-set.ts'
import { FilterError } from '../filter-error.ts'
import { subjectOfJson, subjectOfParts } from '../subject.ts'
import { compileTransform } from '../transform.ts'
import { createChildEvaluator } from './evaluator-lanes.ts'

const jsonata = createChildEvaluator()
afterAll(() => jsonata.close())

const event = subjectOfParts(
  { specversion: '1.0', id: '1', source: '/a', type: 't' },
  {
    items: [
      { price: 2, quantity: 3 },
      { price: 5, quantity: 1 },
    ],
  },
)

describe('JSONata in a child process', () => {
  it('gives the result of an expression', async () => {
    expect(await jsonata.evaluate('$sum(data.items.(price * quantity))', event.toObject())).toBe(11)
    expect(await jsonata.evaluate('data.nothing', event.toObject())).toBeUndefined()
    expect(await jsonata.evaluate('$match("a1b22", /[0-9]+/).match', {})).toEqual(['1', '22'])
    expect(await jsonata.evaluate('$replace("xay", /(a)/i, "<$1>")', {})).toBe('x<a>y')
  })

  it('keeps answers with their questions', async () => {
    const results = await Promise.all(Array.from({ length: 50 }, (_, n) => jsonata.evaluate('n * 2', { n })))
    expect(results).toEqual(Array.from({ length: 50 }, (_, n) => n * 2))
  })

  it.each([
    ['loops', '($f := function($n) { $f($n + 1) }; $f(0))', /time|depth/],
    ['counts for ever', '$sum([1..90000].($sum([1..1000])))', /time|size/],
    [
      'doubles a text',
      '($f := function($s, $n) { $n > 60 ? $s : $f($s & $s, $n + 1) }; $f("xxxxxxxx", 0))',
      /time|size|expression/,
    ],
    ['makes a huge result', '$pad("x", 5000000)', /size|time/],
    ['asks for the time', '$now()', /expression/],
    ['asks for chance', '$random()', /expression/],
    ['fails', '$number("x")', /expression/],
  ])('ends an expression that %s, and goes on', async (_, expression, kind) => {
    await expect(jsonata.evaluate(expression, {})).rejects.toThrow(
      expect.objectContaining({ name: 'JsonataError', kind: expect.stringMatching(kind) }),
    )
    expect(await jsonata.evaluate('1 + 1', {})).toBe(2)
  })

  it('matches regular expressions in linear time', async () => {
    const text = 'a'.repeat(30_000)
    await expect(
      createdFor(60_000, evaluator => evaluator.evaluate('$contains(text, /^(a+)+$/)', { text: `${text}!` })),
    ).resolves.toBe(false)
  })

  it('refuses inputs that are too large or too deep', async () => {
    const deep = JSON.parse('['.repeat(101) + ']'.repeat(101)) as unknown
    await expect(jsonata.evaluate('1', deep)).rejects.toThrow(expect.objectContaining({ kind: 'depth' }))
    await expect(jsonata.evaluate('1', 'x'.repeat(4 * 1024 * 1024))).rejects.toThrow(
      expect.objectContaining({ kind: 'size' }),
    )
  })

  it('rejects what comes after its end', async () => {
    const other = createChildEvaluator()
    const pending = expect(other.evaluate('1', {})).rejects.toThrow(expect.objectContaining({ kind: 'closed' }))
    await other.close()
    await pending
    await expect(other.evaluate('1', {})).rejects.toThrow(expect.objectContaining({ kind: 'closed' }))
  })

  it('decides filters, rules and their explanation', async () => {
    const dear = compileFilter([{ exact: { type: 't' } }, { jsonata: 'data.items[price > 4]' }], { jsonata })
    const cheap = compileFilter({ jsonata: '$max(data.items.price) < 4' }, { jsonata })
    const broken = compileFilter({ jsonata: '$number(type) = 1' }, { jsonata })
    expect(dear.needsJsonata).toBe(true)
    expect(await dear.decide(event, jsonata)).toEqual({ matched: true })
    const set = new RuleSet(Object.entries({ dear, cheap, broken }).map(([id, filter]) => ({ id, filter })))
    const { matched, failed, undecided } = await set.settle(set.match(event), event, jsonata)
    expect({ matched, undecided }).toEqual({ matched: ['dear'], undecided: [] })
    expect(failed).toEqual([{ id: 'broken', error: { kind: 'jsonata', message: expect.stringContaining('number') } }])
    expect(await explain(cheap, event, jsonata)).toEqual({
      matched: false,
      clause: { path: '', language: 'jsonata', text: '$max(data.items.price) < 4', reason: 'the result is not true' },
    })
  })
})

describe('a transform', () => {
  it('gives an object, or an error for the developer', async () => {
    const transform = (expression: string) =>
      compileTransform({ jsonata: expression }, { jsonata }).apply(event, jsonata)
    expect(await transform('{"n": $count(data.items), "type": type}')).toEqual({ n: 2, type: 't' })
    await expect(transform('data.items')).rejects.toThrow('must give an object, not [')
    await expect(transform('data.nothing')).rejects.toThrow('must give an object, not undefined')
    await expect(transform('$number(type)')).rejects.toThrow(expect.objectContaining({ kind: 'expression' }))
    await expect(
      compileTransform({ jsonata: 'data' }, { jsonata }).apply(subjectOfJson({ id: '1' }, '{"a":'), jsonata),
    ).rejects.toThrow(expect.objectContaining({ kind: 'expression' }))
  })

  it.each([[{}], ['data'], [null], [{ jsonata: 1 }], [{ jsonata: '1', pattern: {} }]])(
    'is refused as %j',
    definition => {
      expect(() => compileTransform(definition, { jsonata })).toThrow(FilterError)
    },
  )

  it('is refused with the place of a mistake', () => {
    expect(() => compileTransform({ jsonata: '{"a": ' }, { jsonata })).toThrow(
      expect.objectContaining({ position: expect.objectContaining({ path: '/jsonata', line: 1 }) }),
    )
  })
})

describe('checking JSONata', () => {
  it.each([
    ['data.items[', 10],
    ['1 +', 2],
    ['$match(a, /(?=b)/)', 10],
    ['$match(a, /(a)\\1/)', 10],
  ])('refuses %s with the place', (expression, offset) => {
    expect(() => compileFilter({ all: [{ jsonata: expression }] }, { jsonata })).toThrow(
      expect.objectContaining({ position: expect.objectContaining({ path: '/all/0/jsonata', offset }) }),
    )
  })

  it('refuses nesting that no parser follows', () => {
    expect(jsonata.check('('.repeat(16_000))).toBeDefined()
    expect(jsonata.check('['.repeat(20_000))?.message).toContain('at most')
  })
})

/** With more time than expressions have, to see a result rather than the budget. */
async function createdFor(
  evaluationMs: number,
  run: (evaluator: ReturnType<typeof createChildEvaluator>) => Promise<unknown>,
): Promise<unknown> {
  const evaluator = createChildEvaluator({ evaluationMs, answerMs: evaluationMs })
  try {
    return await run(evaluator)
  } finally {
    await evaluator.close()
  }
}
