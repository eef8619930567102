import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseSchedule, type Dialect, type Dst } from './calendar.ts'

const folder = new URL('../../../../../shared/conformance/cron/', import.meta.url)
const present = existsSync(folder)
if (!present) console.warn('skipped: the cron vectors are not beside the repository (../shared/conformance/cron)')

type Case = {
  name: string
  cron: unknown
  pattern?: string
  timezone?: string | null
  from: string
  contract?: boolean
  invalid?: boolean
  valid?: boolean
  next?: string[] | string | null
  kind?: string
  at?: string
  fires?: boolean
  sameAs?: string
}

function cases(file: string): Case[] {
  if (!present) return []
  return (JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { cases: Case[] }).cases
}

function instants(cron: unknown, timezone: unknown, from: string, count: number, dialect: Dialect, dst: Dst): string[] {
  const schedule = parseSchedule({ cron, timezone, dialect, dst })
  const found: string[] = []
  for (let at = Date.parse(from); found.length < count;) {
    const next = schedule.next(at)
    if (next === undefined) break
    found.push(new Date(next).toISOString())
    at = next
  }
  return found
}

const standard = (cron: unknown, timezone: unknown, from: string, count: number) =>
  instants(cron, timezone, from, count, 'standard', 'wallclock')
const openwhisk = (cron: unknown, timezone: unknown, from: string, count: number) =>
  instants(cron, timezone, from, count, 'openwhisk', 'legacy')

describe.skipIf(!present)('the standard dialect', () => {
  it.each(cases('ocps.json').filter(c => c.contract))('agrees with OCPS $name in $timezone', c => {
    if (c.invalid) expect(() => standard(c.pattern, c.timezone, c.from, 1)).toThrow(/is not valid/)
    else expect(standard(c.pattern, c.timezone, c.from, c.next?.length || 1)).toEqual(c.next)
  })

  it.each(cases('robfig.json').filter(c => c.contract))('agrees with robfig $kind $cron', c => {
    if (c.kind === 'invalid') return void expect(() => standard(c.cron, null, '2024-01-01', 1)).toThrow(/is not valid/)
    if (c.kind === 'next') {
      return void expect(standard(c.cron, c.timezone, c.from, 1)).toEqual(c.next === null ? [] : [c.next])
    }
    if (c.kind === 'equivalent') {
      const from = '2024-01-01T00:00:00.000Z'
      return void expect(standard(c.cron, null, from, 20)).toEqual(standard(c.sameAs, null, from, 20))
    }
    const at = Date.parse(c.at ?? '')
    const [next] = standard(c.cron, c.timezone, new Date(at - 1000).toISOString(), 1)
    expect(next === c.at).toBe(c.fires)
  })
})

describe.skipIf(!present)('the openwhisk dialect', () => {
  it.each(cases('openwhisk-next.json'))('fires as the library did: $name', c => {
    expect(openwhisk(c.cron, c.timezone, c.from, 5)).toEqual(c.next)
  })

  it.each(cases('openwhisk-validity.json'))('accepts what the library accepted: $name', c => {
    if (c.valid) expect(openwhisk(c.cron, c.timezone, c.from, c.next?.length ?? 0)).toEqual(c.next)
    else expect(() => openwhisk(c.cron, c.timezone, c.from, 1)).toThrow(/is not valid|Invalid timezone/)
  })
})
