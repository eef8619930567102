import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** docs/conformance.md says what is true of the tests. */

type Conformance = {
  readonly page: string
  readonly caseList: string
  conformancePage(): string
  testedIds(): Map<string, Set<string>>
  readContracts(): Record<string, string[]> | undefined
}
type Counts = Record<string, Record<string, Record<string, number>>>
const script = new URL('../scripts/conformance.mjs', import.meta.url)
const conformance = (await import(script.href)) as Conformance
const data = (await import(new URL('conformance-data.mjs', script).href)) as {
  readonly dataCounts: string
  countData(): Counts | undefined
}

describe('docs/conformance.md', () => {
  it('is what the titles of the tests make it (npm run docs writes the page)', () => {
    expect(readFileSync(conformance.page, 'utf8')).toBe(conformance.conformancePage())
  })

  it('finds ids in titles, also of tables of cases, and knows where', () => {
    const ids = conformance.testedIds()
    expect(ids.size).toBeGreaterThan(300)
    expect([...(ids.get('rest:97') ?? [])]).toContain('test/api/invoke.test.ts')
    expect(ids.has('rest:161')).toBe(false)
  })

  it('goes by the cases that the contracts have', context => {
    const contracts = conformance.readContracts()
    if (contracts === undefined) return context.skip('needs ../shared/spec')
    expect(JSON.parse(readFileSync(conformance.caseList, 'utf8'))).toEqual(contracts)
    expect(Object.values(contracts).map(cases => cases.length > 1)).not.toContain(false)
  })
  it('counts the public data that there is', context => {
    const counts = data.countData()
    if (counts === undefined) return context.skip('needs ../shared/conformance')
    expect(JSON.parse(readFileSync(data.dataCounts, 'utf8'))).toEqual(counts)
  })

  it('misses no case of the public data', () => {
    const [, ...cells] = /^\| Together (.*)$/m.exec(conformance.conformancePage())?.[1]?.split('|') ?? []
    const [cases, tested, different, missing] = cells.map(Number)
    expect([missing, (tested ?? 0) + (different ?? 0)]).toEqual([0, cases])
    expect(cases).toBeGreaterThan(700)
  })
})
