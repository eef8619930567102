/** The examples of docs/guides/filters.md are true. */
import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { decodeJson } from '../index.ts'
import { compileFilter } from './compile-filter.ts'
import { explain } from './explain.ts'
import { createChildEvaluator } from './jsonata/evaluator-lanes.ts'
import { RuleSet } from './matching/rule-set.ts'
import { subjectOf } from './subject.ts'

const page = readFileSync(new URL('../../../docs/guides/filters.md', import.meta.url), 'utf8')
const event = decodeJson(blocks('json')[0] as string)
const jsonata = createChildEvaluator()
afterAll(() => jsonata.close())

describe('the guide to filters', () => {
  it('has no example that no test runs', () => {
    const kinds = [...page.matchAll(/^```(.*)\n[^]*?^```$/gm)].map(([, kind]) => kind)
    // `text` are pictures; `sh` is run by test/api/guides.test.ts.
    const known = ['json', 'json passes', 'json fails', 'json refused', 'json explained', 'sh', 'text', 'ts']
    expect(kinds.filter(kind => !known.includes(kind ?? ''))).toEqual([])
    expect([blocks('json').length, blocks('ts').length]).toEqual([1, 1])
  })

  it.each(examples('passes'))('has a filter that passes: %s', async text => {
    const filter = compileFilter(JSON.parse(text), { jsonata })
    expect(await filter.decide(subjectOf(event), jsonata)).toEqual({ matched: true })
  })

  it.each(examples('fails'))('has a filter that does not pass: %s', text => {
    expect(compileFilter(JSON.parse(text)).test(subjectOf(event)).matched).toBe(false)
  })

  it.each(examples('refused'))('shows how a mistake is refused: %s', text => {
    const { definition, message } = JSON.parse(text) as { definition: unknown; message: string }
    expect(() => compileFilter(definition)).toThrow(expect.objectContaining({ message }))
  })

  it.each(examples('explained'))('shows an explanation: %s', async text => {
    const { definition, path, reason } = JSON.parse(text) as { definition: unknown; path: string; reason: string }
    const { matched, clause } = await explain(compileFilter(definition), subjectOf(event))
    expect({ matched, path: clause?.path, reason: clause?.reason }).toEqual({ matched: false, path, reason })
  })

  it('shows the use in code', () => {
    // quoted: begin
    const paid = compileFilter({ pattern: { data: { amount: [{ numeric: ['>', 100] }] } } })
    const european = compileFilter("DATA('/customer/country') IN ('DE', 'FR') AND priority > 3")
    const rules = new RuleSet([
      { id: 'paid', filter: paid },
      { id: 'european', filter: european },
      { id: 'red', filter: compileFilter("colour = 'red'") },
      { id: 'all' },
    ])

    const { matched, failed } = rules.match(subjectOf(event))
    expect([...matched].sort()).toEqual(['all', 'european', 'paid'])
    expect(failed).toEqual([
      { id: 'red', error: { kind: 'missingAttribute', message: 'the event has no attribute colour' } },
    ])
    // quoted: end
    const source = readFileSync(new URL(import.meta.url), 'utf8')
    const quoted = /\/\/ quoted: begin\n(.*?) *\/\/ quoted: end/s.exec(source)?.[1] ?? 'nothing'
    expect(blocks('ts')).toEqual([quoted.replace(/^ {4}/gm, '')])
  })
})

function blocks(kind: string): string[] {
  return [...page.matchAll(/^```(.*)\n([^]*?)^```$/gm)].flatMap(([, name, text]) => (name === kind ? [text ?? ''] : []))
}

/** One example a line. */
function examples(kind: string): string[] {
  const lines = blocks(`json ${kind}`).flatMap(text => text.trim().split('\n'))
  if (lines.length === 0) throw new Error(`the guide has no examples that are ${kind}`)
  return lines
}
