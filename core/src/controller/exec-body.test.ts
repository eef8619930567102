import { describe, expect, it } from 'vitest'
import { parseRuntimesManifest } from '../model/index.ts'
import { isBase64, parseExec } from './exec-body.ts'

const manifest = parseRuntimesManifest({
  runtimes: {
    nodejs: [{ kind: 'nodejs:20', image: { name: 'n' }, attached: {} }],
    java: [{ kind: 'java:8', image: { name: 'j' }, requireMain: true }],
  },
})
const parse = (value: unknown) => parseExec(value, manifest, 'guest')

describe('exec', () => {
  it('[runtime:MAN-10] normalises a kind', () => {
    expect(parse({ kind: ' NodeJS:20 ', code: 'x' })).toMatchObject({ kind: 'nodejs:20' })
    expect(parse({ kind: 'NODEJS:default', code: 'x' })).toMatchObject({ kind: 'nodejs:20' })
  })

  it('[runtime:MAN-14] tells binary code from text by the text alone', () => {
    const large = Buffer.alloc(6 * 1024 * 1024, 'PK').toString('base64')
    const texts = ['abcd', 'abc', 'ab==', 'abcd\nabcd', large, ' abcd\n', '', 'ab=c', 'abc=abcd', 'a===']
    expect(texts.map(isBase64)).toEqual([true, false, true, false, true, true, false, false, false, false])
    expect(parse({ kind: 'nodejs:20', code: 'abcd', binary: false })).toMatchObject({ binary: true })
    expect(parse({ kind: 'nodejs:20', code: 'abc', binary: true })).toMatchObject({ binary: false })
  })

  it.each([
    [{}, "'kind' must be a string defined in 'exec'"],
    [{ kind: 20 }, "'kind' must be a string defined in 'exec'"],
    [
      { kind: 'cobol', code: '' },
      "The specified runtime 'cobol' is not supported by this platform. Valid values are: 'nodejs:20', 'java:8', 'sequence', 'blackbox'.",
    ],
    [{ kind: 'nodejs:20' }, "'code' must be a string or attachment object defined in 'exec' for 'nodejs:20' actions"],
    [{ kind: 'java:8', main: 'a' }, "'code' must be a string defined in 'exec' for 'java:8' actions"],
    [{ kind: 'nodejs:20', code: '', main: 1 }, "if defined, 'main' be a string in 'exec' for 'nodejs:20' actions"],
    [{ kind: 'java:8', code: 'UEsD' }, "'main' must be a string defined in 'exec' for 'java:8' actions"],
    [{ kind: 'blackbox' }, "'image' must be a string defined in 'exec' for 'blackbox' actions"],
    [{ kind: 'sequence' }, "'components' must be defined for sequence kind"],
    [{ kind: 'sequence', components: 'a' }, "'components' must be an array"],
  ])('[runtime:MAN-16] refuses %j', (exec, text) => {
    expect(() => parse(exec)).toThrow(text)
  })
})
