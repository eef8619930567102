import { expect, it } from 'vitest'
import { decodeHttpEvents } from './index.ts'
import { decoders, expectBoth, fuzz } from './testing/fuzz.ts'

// The whole 10,000 are in the long form.
const inputs = 500

it.each(decoders)('%s, broken in hundreds of ways, is read or refused and nothing else [sec:S3]', (...decoder) => {
  expectBoth(fuzz(decoder, inputs), inputs)
})

it('has seeds that are read as they are', () => {
  for (const [name, seed, decode] of decoders) expect(decode(Buffer.from(seed)), name).not.toHaveLength(0)
})

it('bounds what a media type may hide: every format refuses an empty body', () => {
  for (const format of ['json', 'avro', 'protobuf', 'xml']) {
    const read = () => decodeHttpEvents({ 'content-type': `application/cloudevents+${format}` }, Buffer.alloc(0))
    expect(read).toThrow(expect.objectContaining({ kind: 'invalid' }))
  }
})
