/** Reads the shared conformance data, which lies beside the repository and is not part of it. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { parse } from 'yaml'

const folder = new URL('../../../../../shared/conformance/', import.meta.url)

/** Says so on stderr when a suite is not there: its tests are skipped. */
export function suiteIsThere(suite: string): boolean {
  const there = existsSync(new URL(`${suite}/`, folder))
  if (!there) process.stderr.write(`skipped: ../shared/conformance/${suite} is not there\n`)
  return there
}

export function filesOf(suite: string, extension: string): string[] {
  return readdirSync(new URL(`${suite}/`, folder)).filter(file => file.endsWith(extension))
}

export function readSuiteFile(suite: string, file: string): unknown {
  const text = readFileSync(new URL(`${suite}/${file}`, folder), 'utf8')
  return file.endsWith('.yaml') ? parse(text) : JSON.parse(text)
}

/** Why cases of a suite (`event-ruler`) or of a file of it (`cloudevents/http-webhook.json`) are answered differently, by name. */
export function differencesOf(part: string): Readonly<Record<string, string>> {
  const file = new URL('../../../../test/data/conformance-differences.json', import.meta.url)
  const all = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string>>
  return all[part] ?? {}
}

/** A case of the CESQL kit. */
export type CesqlCase = {
  name: string
  expression: string
  event?: Record<string, unknown>
  eventOverrides?: Record<string, unknown>
  result?: boolean | number | string
  error?: string
}

/** The files of a conformance kit; none when it is not there. */
export function readKit(suite: 'cesql'): { file: string; cases: CesqlCase[] }[] {
  if (!suiteIsThere(suite)) return []
  return filesOf(suite, '.yaml').map(file => {
    const { tests } = readSuiteFile(suite, file) as { tests: CesqlCase[] }
    return { file, cases: tests }
  })
}
