import { ApiError, messages, parseJson } from '../model/index.ts'
import { describeJsonError, scanJson } from './json-scan.ts'

/** Bodies of requests as JSON (rest-api.md §1.9). All errors are 400 with the malformed prefix. */

export type JsonObject = Record<string, unknown>

export function malformed(detail: string): ApiError {
  return new ApiError(400, messages.malformed(detail), { rejection: true })
}

/** The value of a body with every digit kept. */
export function parseBody(bytes: Buffer): unknown {
  const refused = scanJson(bytes)
  if (refused !== undefined) throw malformed(refused)
  try {
    return parseJson(bytes.toString('utf8'))
  } catch {
    throw malformed(describeJsonError(bytes))
  }
}

/** A payload: its text, which stays as it was sent, and its keys. An empty body is `{}`. */
export function parsePayload(bytes: Buffer): { text: string; keys: readonly string[] } {
  if (bytes.length === 0) return { text: '{}', keys: [] }
  const refused = scanJson(bytes)
  if (refused !== undefined) throw malformed(refused)
  const text = bytes.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw malformed(describeJsonError(bytes))
  }
  if (!isObject(value)) throw malformed('JSON object expected')
  return { text, keys: Object.keys(value) }
}

export function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
