import { expect, it } from 'vitest'
import { parseProviderHostOptions } from './provider-host-options.ts'

const masterKey = 'ab'.repeat(32)
const given = ['--provider', 'alarms', '--hub', 'http://127.0.0.1:3233']

it('needs the hub and its master key, and no more', () => {
  const request = parseProviderHostOptions(given, { SLUICE_MASTER_KEY: `${masterKey}\n` })
  expect(request).toMatchObject({
    kind: 'run',
    options: { provider: 'alarms', hub: 'http://127.0.0.1:3233', instance: 'hub', host: '127.0.0.1', port: 8080 },
  })
})

it('is told where operators come in, when that is another door', () => {
  const request = parseProviderHostOptions([...given, '--state', 'http://10.0.0.1:3234'], {
    SLUICE_MASTER_KEY: masterKey,
  })
  expect(request).toMatchObject({ options: { hub: 'http://127.0.0.1:3233', state: 'http://10.0.0.1:3234' } })
})

it.each([
  [['--hub', 'h'], /provider/],
  [['--provider', 'kafka', '--hub', 'h'], /no provider 'kafka'/],
  [[...given, '--port', '99999'], /not a port/],
  [[...given, '--master-key-file', '/nowhere/key'], /cannot be read/],
  [[...given, '--nonsense'], /nonsense/],
])('tells a mistake in one line: %j', (args, text) => {
  const request = parseProviderHostOptions(args, { SLUICE_MASTER_KEY: masterKey })
  expect(request).toMatchObject({ kind: 'mistake', text: expect.stringMatching(text) })
  expect(request.kind === 'mistake' && request.text).not.toContain('\n')
})

it('refuses a master key of another size, without showing it', () => {
  const request = parseProviderHostOptions(given, { SLUICE_MASTER_KEY: 'abcd' })
  expect(request).toEqual({ kind: 'mistake', text: 'a master key is 64 hex digits' })
})

it('shows its help', () => {
  expect(parseProviderHostOptions(['--help'], {})).toMatchObject({ kind: 'help', text: expect.stringMatching(/--hub/) })
})
