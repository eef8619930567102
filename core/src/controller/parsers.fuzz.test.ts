import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ApiError, bounds } from '../model/index.ts'
import { parseLimits } from './action-limits.ts'
import { parseCommonFields, parseSizedFields } from './entity-body.ts'
import { parsePayload } from './json-body.ts'
import { Query } from './query.ts'
import { createRouteTable } from './route-table.ts'
import { namespaceRoutes } from './routes/namespaces.ts'
import { testManifest } from './testing/fixture.ts'

/** Whatever comes in, a parser gives a value or an answer below 500, quickly (reliability.md S3, S5). */

const runs = { numRuns: 1000 }
const identity = { subject: 'guest', namespace: { name: 'guest', uuid: 'u' }, limits: {} }

/** Runs a parser; anything but an ApiError of the 400s is a failure of the parser. */
function answered(parse: () => unknown): void {
  try {
    parse()
  } catch (error) {
    expect(error).toBeInstanceOf(ApiError)
    expect((error as ApiError).status).toBeLessThan(500)
  }
}

/** JSON with a few bytes changed, cut off, or doubled. */
const damagedJson = (value: fc.Arbitrary<unknown>) =>
  fc
    .tuple(value, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }), fc.nat(4))
    .map(([content, changes, cut]) => {
      const bytes = Buffer.from(JSON.stringify(content) ?? '')
      for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte
      return bytes.subarray(0, Math.max(0, bytes.length - cut))
    })

const oddKeys = fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'a', '')
const odd = fc.oneof(fc.jsonValue(), fc.dictionary(oddKeys, fc.jsonValue()), fc.double())
const entry = fc.oneof(odd, fc.record({ key: fc.oneof(oddKeys, odd), value: odd, init: odd }))
const exec = fc.record(
  {
    kind: fc.oneof(fc.constantFrom('nodejs:20', 'nodejs:default', 'java:8', 'blackbox', 'sequence', 'x'), odd),
    code: fc.oneof(fc.string(), odd),
    main: odd,
    image: fc.oneof(fc.string(), odd),
    components: fc.oneof(fc.array(fc.oneof(fc.string(), odd)), odd),
  },
  { requiredKeys: [] },
)
const entityBody = fc.record(
  {
    exec: fc.oneof(exec, odd),
    parameters: fc.oneof(fc.array(entry), odd),
    annotations: fc.oneof(fc.array(entry), odd),
    limits: fc.oneof(fc.dictionary(fc.constantFrom('timeout', 'memory', 'logs', 'concurrency'), odd), odd),
    version: fc.oneof(fc.string(), odd),
    publish: odd,
  },
  { requiredKeys: [] },
)

describe('parsers of requests', () => {
  it('[sec:S3] [sec:S5] take any entity body, and leave prototypes alone', () => {
    fc.assert(
      fc.property(fc.oneof(damagedJson(entityBody), entityBody.map(asBytes)), bytes => {
        answered(() => {
          const { fields } = parseSizedFields(bytes, identity, testManifest)
          parseCommonFields(fields)
          parseLimits(fields['limits'])
        })
        expect(Object.keys(Object.prototype)).toEqual([])
      }),
      runs,
    )
  })

  it('[sec:S3] take any payload, and give back the text of an object', () => {
    fc.assert(
      fc.property(fc.oneof(damagedJson(odd), fc.uint8Array({ maxLength: 400 }).map(Buffer.from)), bytes => {
        answered(() => {
          const { text, keys } = parsePayload(bytes)
          expect(Object.keys(JSON.parse(text) as object)).toEqual(keys)
        })
      }),
      runs,
    )
  })

  it('[sec:S3] take any query string', () => {
    const part = fc.oneof(fc.string(), fc.constantFrom('limit', 'skip', 'count', 'timeout', '%', '%ff', '=', '&', '+'))
    fc.assert(
      fc.property(fc.array(part), parts => {
        answered(() => {
          const query = new Query(parts.join(''))
          query.boolean('count')
          query.skip('actions')
          query.limit('actions')
          query.milliseconds('timeout', bounds.api.blockingWaitMsMax, 1, 'detail')
        })
      }),
      runs,
    )
  })

  it('[sec:S3] take any path', () => {
    const table = createRouteTable(namespaceRoutes({ limits: { actions: bounds.actionLimits } }))
    const part = fc.oneof(
      fc.string(),
      fc.constantFrom('/', '/namespaces', '/namespaces/_/limits', '_', '%', '%2f', '%00', '..', 'x'.repeat(300)),
    )
    fc.assert(
      fc.property(fc.array(part), fc.constantFrom('GET', 'PUT', 'HEAD', '__proto__'), (parts, method) => {
        answered(() => table.match(method, parts.join(''), 'guest'))
      }),
      runs,
    )
  })
})

function asBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}
