/** How much a decoder takes in before it refuses. What is beyond is answered with rules `size`, `count` or `depth`. */
import { CloudEventError } from './error.ts'

export type DecodeLimits = {
  /** Of one message, whatever it holds. */
  readonly bodyBytesMax?: number
  readonly batchEventsMax?: number
  /** Levels of objects and arrays in `data`, or of elements in XML. */
  readonly depthMax?: number
  /** Attributes of one event, and of one element in XML. */
  readonly attributesMax?: number
  /** Elements in one XML document, values in Avro's own JSON: a few bytes make one, which costs far more. */
  readonly valuesMax?: number
}

export type Limits = Required<DecodeLimits>

export const defaultLimits: Limits = Object.freeze({
  bodyBytesMax: 4 * 1024 * 1024,
  batchEventsMax: 10_000,
  depthMax: 1_000,
  attributesMax: 1_000,
  valuesMax: 100_000,
})

/** The limits that hold, with the defaults for those that are not given. */
export function limitsOf(given: DecodeLimits | undefined): Limits {
  if (given === undefined) return defaultLimits
  const { bodyBytesMax, batchEventsMax, depthMax, attributesMax, valuesMax } = given
  return {
    bodyBytesMax: bodyBytesMax ?? defaultLimits.bodyBytesMax,
    batchEventsMax: batchEventsMax ?? defaultLimits.batchEventsMax,
    depthMax: depthMax ?? defaultLimits.depthMax,
    attributesMax: attributesMax ?? defaultLimits.attributesMax,
    valuesMax: valuesMax ?? defaultLimits.valuesMax,
  }
}

/** Throws CloudEventError `size` for a body that is longer than the limit. */
export function checkSize(length: number, { bodyBytesMax }: Limits): void {
  if (length > bodyBytesMax) throw new CloudEventError('body', 'size', { detail: `at most ${bodyBytesMax} bytes` })
}

/** Throws CloudEventError `count` for a batch of more events than the limit. */
export function checkCount(count: number, { batchEventsMax }: Limits): void {
  if (count > batchEventsMax) throw new CloudEventError('body', 'count', { detail: `at most ${batchEventsMax}` })
}

/** Throws CloudEventError `attributes` for an event with more attributes than the limit. */
export function checkAttributes(count: number, { attributesMax }: Limits): void {
  if (count > attributesMax) throw new CloudEventError('body', 'attributes', { detail: `at most ${attributesMax}` })
}

/** Throws CloudEventError `values` for data of more values, or a document of more elements, than the limit. */
export function checkValues(count: number, { valuesMax }: Limits): void {
  if (count > valuesMax) throw new CloudEventError('body', 'values', { detail: `at most ${valuesMax}` })
}

/** Throws CloudEventError `depth` for data that has more levels than the limit. */
export function checkDepth(depth: number, { depthMax }: Limits, part = 'data'): void {
  if (depth > depthMax) throw new CloudEventError(part, 'depth', { detail: `at most ${depthMax} levels` })
}

/** Runs a decoder of one event of a batch, so that its error says which event it is about. */
export function inBatch<T>(index: number, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (!(error instanceof CloudEventError)) throw error
    throw new CloudEventError(error.attribute, error.rule, { detail: `in event ${index} of the batch` })
  }
}
