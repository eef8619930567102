import { describe, expect, it } from 'vitest'
import { parseOptions } from './options.ts'

describe('parseOptions', () => {
  it('hands options on as settings with the flag they came from', () => {
    const args = ['--port', '8080', '--host=0.0.0.0', '--data-dir', '/data', '--containers', 'process', '--no-samples']
    expect(parseOptions(args)).toEqual({
      kind: 'run',
      printConfig: false,
      flags: [
        { flag: '--port', path: 'http.port', text: '8080' },
        { flag: '--host', path: 'http.host', text: '0.0.0.0' },
        { flag: '--data-dir', path: 'dataDir', text: '/data' },
        { flag: '--containers', path: 'containers.mode', text: 'process' },
        { flag: '--no-samples', path: 'samples.install', text: 'false' },
      ],
    })
  })

  it('sets nothing that was not asked for', () => {
    expect(parseOptions([])).toEqual({ kind: 'run', printConfig: false, flags: [] })
  })

  it('takes --write-wskprops with and without a file', () => {
    expect(parseOptions(['--write-wskprops'])).toMatchObject({ wskprops: true })
    expect(parseOptions(['--write-wskprops', '/tmp/props'])).toMatchObject({ wskprops: '/tmp/props' })
  })

  it('answers a mistake with one line', () => {
    for (const args of [['--prot', '1'], ['--port'], ['8080'], ['-x']]) {
      const request = parseOptions(args)
      expect(request.kind).toBe('mistake')
      expect((request as { text: string }).text).toMatch(/^[^\n]+\(--help lists the options\)$/)
    }
    expect(parseOptions(['--prot', '1'])).toMatchObject({ text: expect.stringContaining('Did you mean --port?') })
  })

  it('explains itself with examples', () => {
    const request = parseOptions(['--help'])
    expect(request).toMatchObject({ kind: 'help' })
    const { text } = request as { text: string }
    for (const word of [
      '--port',
      '--host',
      '--data-dir',
      '--containers',
      '--no-samples',
      '--config',
      '--write-wskprops',
      'Examples:',
    ]) {
      expect(text).toContain(word)
    }
  })
})
