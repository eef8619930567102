import { ApiError, bounds, messages } from '../model/index.ts'

/** The query string of a request (rest-api.md §1.9, §3.5). The first of several values counts. */
export class Query {
  readonly #values: ReadonlyMap<string, string>

  /** Throws 400 when the percent-encoding is broken. */
  constructor(text: string) {
    this.#values = text === '' ? none : parse(text)
  }

  get(name: string): string | undefined {
    return this.#values.get(name)
  }

  /** `true|yes|on|1` and `false|no|off|0` in any case; an empty value is the default. */
  boolean(name: string, fallback = false): boolean {
    const text = this.#values.get(name)
    if (text === undefined || text === '') return fallback
    switch (text.toLowerCase()) {
      case 'true':
      case 'yes':
      case 'on':
      case '1':
        return true
      case 'false':
      case 'no':
      case 'off':
      case '0':
        return false
    }
    throw queryError(name, `'${text}' is not a valid Boolean value`)
  }

  /** `skip` of a list. `collection` is the word that the error names. */
  skip(collection: string): number {
    const value = this.#integer('skip', collection, 0)
    if (value < 0) throw queryError('skip', `The value '${value}' is not greater than or equal to 0 for ${collection}.`)
    return value
  }

  /** `limit` of a list; 0 asks for as many as there may be. */
  limit(collection: string): number {
    const max = bounds.api.listLimitMax
    const value = this.#integer('limit', collection, bounds.api.listLimitDefault)
    if (value < 0 || value > max) {
      throw queryError('limit', `The value '${value}' is not in the range of 0 to ${max} for ${collection}.`)
    }
    return value === 0 ? max : value
  }

  #integer(name: string, collection: string, fallback: number): number {
    const text = this.#values.get(name)
    if (text === undefined) return fallback
    const value = Number(text)
    if (!/^[-+]?\d+$/.test(text) || value < -0x80000000 || value > 0x7fffffff) {
      throw queryError(name, `The value '${text}' is not an integer for ${collection}.`)
    }
    return value
  }

  /** Milliseconds of `timeout`, or of `waitMs`. */
  milliseconds(name: string, max: number, fallback: number, detail: string): number {
    const text = this.#values.get(name)
    if (text === undefined) return fallback
    const value = Number(text)
    if (!/^\+?\d{1,9}$/.test(text) || value < 1 || value > max) throw queryError(name, detail)
    return value
  }
}

export function queryError(name: string, detail: string): ApiError {
  return new ApiError(400, messages.queryMalformed(name, detail), { rejection: true })
}

const none: ReadonlyMap<string, string> = new Map()

function parse(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const part of text.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = decode(equals < 0 ? part : part.slice(0, equals))
    if (!values.has(name)) values.set(name, equals < 0 ? '' : decode(part.slice(equals + 1)))
  }
  return values
}

const encoded = /[%+]/

function decode(text: string): string {
  if (!encoded.test(text)) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw new ApiError(400, 'The request query string is malformed: illegal percent-encoding', { rejection: true })
  }
}
