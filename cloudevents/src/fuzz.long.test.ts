import { it } from 'vitest'
import { decoders, expectBoth, fuzz } from './testing/fuzz.ts'

const inputs = 10_000

it.each(decoders)('%s, broken in 10,000 ways, is read or refused and nothing else [sec:S3]', (...decoder) => {
  expectBoth(fuzz(decoder, inputs), inputs)
})
