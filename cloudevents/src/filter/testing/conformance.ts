/** Reads the shared conformance data of the filters, which lies beside the repository and is not part of it. */
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
