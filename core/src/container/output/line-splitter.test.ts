import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineSplitter } from './line-splitter.ts'

const mark = 'THE_MARK'

function splitter(lineBytesMax = 1 << 20) {
  const lines: string[] = []
  const lineSplitter = new LineSplitter(lineBytesMax, mark, (bytes, start, end) => {
    lines.push(bytes.toString('utf8', start, end))
  })
  return { lines, lineSplitter }
}

/** Pushes `bytes` in pieces of `size`. */
function pushAll(target: LineSplitter, bytes: Buffer, size: number): void {
  for (let at = 0; at < bytes.length; at += size) target.push(Buffer.from(bytes.subarray(at, at + size)))
}

describe('LineSplitter', () => {
  it('hands out lines without their newlines, empty ones too, and keeps carriage returns', () => {
    const { lines, lineSplitter } = splitter()
    lineSplitter.push(Buffer.from('a\n\nb\r\nc'))
    expect(lines).toEqual(['a', '', 'b\r'])
    lineSplitter.flush()
    expect(lines).toEqual(['a', '', 'b\r', 'c'])
  })

  it('gives the same lines however the bytes are chunked', () => {
    const line = fc.string({ unit: 'binary', maxLength: 40 }).map(text => text.replaceAll('\n', ' '))
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), fc.integer({ min: 1, max: 30 }), (texts, size) => {
        const { lines, lineSplitter } = splitter()
        pushAll(lineSplitter, Buffer.from(texts.map(text => `${text}\n`).join('')), size)
        expect(lines).toEqual(texts)
      }),
    )
  })

  it('cuts a line that is too long between characters, never inside the mark', () => {
    const unit = fc.constantFrom('x', '\u00fc', '\u20ac', '\u{1f600}', mark)
    const text = fc.array(unit, { minLength: 1, maxLength: 200 }).map(units => units.join(''))
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 16, max: 64 }),
        fc.integer({ min: 1, max: 300 }),
        (long, lineBytesMax, size) => {
          const { lines, lineSplitter } = splitter(lineBytesMax)
          pushAll(lineSplitter, Buffer.from(long), size)
          lineSplitter.flush()
          expect(lines.join('')).toBe(long)
          expect(
            lines
              .filter(line => line.includes(mark))
              .join('')
              .split(mark),
          ).toHaveLength(long.split(mark).length)
          for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(lineBytesMax + mark.length)
        },
      ),
    )
  })

  it('skims over whole lines but keeps the ends', () => {
    const { lines, lineSplitter } = splitter()
    lineSplitter.push(Buffer.from('be'))
    lineSplitter.skim(Buffer.from('gun\nskipped\nskipped\nunfin'))
    lineSplitter.skim(Buffer.from('ish'))
    lineSplitter.push(Buffer.from('ed\n'))
    expect(lines).toEqual(['begun', 'unfinished'])
  })
})
