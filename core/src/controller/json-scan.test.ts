import { describe, expect, it } from 'vitest'
import { describeJsonError, scanJson } from './json-scan.ts'

describe('scanJson', () => {
  it('takes 128 levels and refuses 129', () => {
    expect(scanJson(nested(128))).toBeUndefined()
    expect(scanJson(nested(129))).toContain('nested too deeply')
  })

  it('refuses ten million opening brackets after looking at 129 of them', () => {
    expect(scanJson(Buffer.alloc(10_000_000, '['))).toContain('nested too deeply')
  })

  it('takes 100,000 values and keys and refuses more', () => {
    expect(scanJson(Buffer.from(`[${'1,'.repeat(99_997)}1]`))).toBeUndefined()
    expect(scanJson(Buffer.from(`[${'1,'.repeat(100_000)}1]`))).toContain('more than 100000')
  })

  it('does not look into strings, whatever quotes and backslashes they hold', () => {
    const text = JSON.stringify({ code: '[{'.repeat(100_000) + '\\"\\\\', next: ['\\'] })
    expect(scanJson(Buffer.from(text))).toBeUndefined()
  })

  it('finds the end of a string behind any row of backslashes and quotes', () => {
    for (const text of ['\\"[', '\\\\', 'x\\"\\\\', '\\\\\\"[[', '\\"\\"']) {
      expect(scanJson(Buffer.from(`["${text}",${nested(126)}]${' '.repeat(200)}`))).toBeUndefined()
      expect(scanJson(Buffer.from(`["${text}",${nested(128)}]${' '.repeat(200)}`))).toContain('nested too deeply')
    }
  })

  it('survives a string without an end', () => {
    expect(scanJson(Buffer.from(`"${'x'.repeat(1000)}`))).toBeUndefined()
    expect(scanJson(Buffer.from(`"${'x'.repeat(1000)}\\`))).toBeUndefined()
  })
})

describe('describeJsonError', () => {
  // The first four are answers of a real server.
  it.each([
    ['', 'Unexpected end-of-input at input index 0 (line 1, position 1), expected JSON Value:\n\n^\n'],
    ['{"a":', 'Unexpected end-of-input at input index 5 (line 1, position 6), expected JSON Value:\n{"a":\n     ^\n'],
    ['{', `Unexpected end-of-input at input index 1 (line 1, position 2), expected '"':\n{\n ^\n`],
    [
      '{"exec":',
      'Unexpected end-of-input at input index 8 (line 1, position 9), expected JSON Value:\n{"exec":\n        ^\n',
    ],
    ['{"a" 1}', `Unexpected character '1' at input index 5 (line 1, position 6), expected ':':\n{"a" 1}\n     ^\n`],
    ['{"a":1', `Unexpected end-of-input at input index 6 (line 1, position 7), expected '}':\n{"a":1\n      ^\n`],
    ['[1 2]', `Unexpected character '2' at input index 3 (line 1, position 4), expected ']':\n[1 2]\n   ^\n`],
    ['{}x', `Unexpected character 'x' at input index 2 (line 1, position 3), expected end-of-input:\n{}x\n  ^\n`],
    [
      '{"a":\n  tru}',
      `Unexpected character '}' at input index 8 (line 2, position 3), expected JSON Value:\n  tru}\n  ^\n`,
    ],
    ['{"a":-}', `Unexpected character '}' at input index 6 (line 1, position 7), expected DIGIT:\n{"a":-}\n      ^\n`],
    [
      '{"a":"\\x"}',
      `Unexpected character 'x' at input index 7 (line 1, position 8), expected JSON escape sequence:\n{"a":"\\x"}\n       ^\n`,
    ],
    [
      '"\\u12g4"',
      `Unexpected character 'g' at input index 5 (line 1, position 6), expected hex digit:\n"\\u12g4"\n     ^\n`,
    ],
    ['"a\tb"', `Unexpected character '\\u0009' at input index 2 (line 1, position 3), expected '"':\n"a?b"\n  ^\n`],
    ['ä', `Unexpected character 'ä' at input index 0 (line 1, position 1), expected JSON Value:\nä\n^\n`],
  ])('says where %j breaks and what was expected', (text, message) => {
    expect(describeJsonError(Buffer.from(text))).toBe(message)
  })

  it('shows of a long line only what lies around the place', () => {
    const long = describeJsonError(Buffer.from(`{"a":"${'x'.repeat(5_000_000)}",}${' '.repeat(5_000_000)}`))
    expect(long.length).toBeLessThan(8192)
    const [first, line = '', caret = ''] = long.split('\n')
    expect(first).toContain("Unexpected character '}' at input index 5000008 (line 1, position 5000009)")
    expect(line.startsWith('…xxx')).toBe(true)
    expect(line.endsWith(' …')).toBe(true)
    expect(line[caret.indexOf('^')]).toBe('}')
  })

  it('cuts no character in two', () => {
    for (let shift = 0; shift < 4; shift++) {
      expect(describeJsonError(Buffer.from(`${'x'.repeat(shift)}${'€'.repeat(5000)}`))).not.toContain('\ufffd')
      expect(describeJsonError(Buffer.from(`{"a":"${'x'.repeat(shift)}${'€'.repeat(5000)}`))).not.toContain('\ufffd')
    }
  })

  it('shows a line of usual length whole', () => {
    const text = `{"a":"${'x'.repeat(1000)}",}`
    expect(describeJsonError(Buffer.from(text))).toContain(`\n${text}\n`)
  })

  it('never fails, whatever bytes it gets', () => {
    for (let seed = 0; seed < 2000; seed++) {
      const text = JSON.stringify({ a: [1, -2.5e3, 'x\\"', null, true], b: {} })
      const bytes = Buffer.from(text)
      bytes[seed % bytes.length] = (seed * 7919) % 256
      expect(describeJsonError(bytes.subarray(0, 1 + (seed % bytes.length)))).toBeTypeOf('string')
    }
  })
})

function nested(depth: number): Buffer {
  return Buffer.from(`${'['.repeat(depth)}${']'.repeat(depth)}`)
}
