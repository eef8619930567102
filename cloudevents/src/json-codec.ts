/** The seam through which a caller brings its own JSON, for instance one that keeps every digit of a number. */
import { CloudEventError } from './error.ts'

/** Reads and writes the JSON of `data`; the attributes of an event never need it. Both may throw. */
export type JsonCodec = {
  parse(text: string): unknown
  stringify(value: unknown): string
}

export type JsonOptions = {
  /** Default: the global JSON. */
  readonly json?: JsonCodec
}

/** Parses or throws CloudEventError `json` for `part`. */
export function parseJson(text: string, part: string, codec: JsonCodec = JSON): unknown {
  try {
    return codec.parse(text)
  } catch {
    // Without a cause: the engine's message quotes the input.
    throw new CloudEventError(part, 'json')
  }
}

/** JSON text of a value; throws CloudEventError `json` when it has none (functions, cycles, too deep). */
export function stringifyJson(value: unknown, codec: JsonCodec = JSON): string {
  let text: unknown
  try {
    text = codec.stringify(value)
  } catch {
    throw new CloudEventError('data', 'json')
  }
  if (typeof text !== 'string') throw new CloudEventError('data', 'json')
  return text
}
