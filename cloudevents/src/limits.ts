/** How much a decoder takes in before it refuses. What is beyond is answered with rules `size`, `count` or `depth`. */
import { CloudEventError } from './error.ts'

export type DecodeLimits = {
  /** Of one message, whatever it holds. */
  readonly bodyBytesMax?: number
  readonly batchEventsMax?: number
  /** Levels of objects and arrays in `data`, or of elements in XML. */
  readonly depthMax?: number
}

export type Limits = Required<DecodeLimits>

export const defaultLimits: Limits = Object.freeze({
  bodyBytesMax: 16 * 1024 * 1024,
  batchEventsMax: 10_000,
  depthMax: 1_000,
})

/** The limits that hold, with the defaults for those that are not given. */
export function limitsOf(given: DecodeLimits | undefined): Limits {
  if (given === undefined) return defaultLimits
  const { bodyBytesMax, batchEventsMax, depthMax } = given
  if (bodyBytesMax === undefined && batchEventsMax === undefined && depthMax === undefined) return defaultLimits
  return {
    bodyBytesMax: bodyBytesMax ?? defaultLimits.bodyBytesMax,
    batchEventsMax: batchEventsMax ?? defaultLimits.batchEventsMax,
    depthMax: depthMax ?? defaultLimits.depthMax,
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
