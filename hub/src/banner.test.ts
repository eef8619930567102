import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { banner } from './banner.ts'

const facts = {
  apiHost: 'http://127.0.0.1:3233',
  guestKey: 'uuid:key',
  dataDir: './.sluice',
  containers: 'processes of this user',
  samples: true,
  tookMs: 812,
}

it('shows address, key, data directory and the time it took', () => {
  const text = banner(facts, { write: () => {} })
  expect(text).toContain('http://127.0.0.1:3233')
  expect(text).toContain('uuid:key')
  expect(text).toContain('/.sluice')
  expect(text).toContain('processes of this user')
  expect(text).toContain('(0.8 s)')
  expect(text).not.toContain('operators')
  const apart = banner({ ...facts, operatorUrl: 'http://127.0.0.1:3234' }, { write: () => {} })
  expect(apart).toContain('  operators  http://127.0.0.1:3234\n')
})

it('offers three commands that a shell reads as they were meant', () => {
  for (const samples of [true, false]) {
    const commands = banner({ ...facts, samples }, { write: () => {} }).match(/^ {2}curl .*$/gm) ?? []
    expect(commands).toHaveLength(3)
    for (const command of commands) {
      const script = command.trim().replace(/^curl/, 'printf "%s\\n"')
      const words = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trim().split('\n')
      expect(words).toContain('uuid:key')
      expect(words.some(word => word.startsWith('http://127.0.0.1:3233/api/v1/namespaces/_/'))).toBe(true)
      const content = words[words.indexOf('-d') + 1]
      if (words.includes('-d')) expect(JSON.parse(content ?? '')).toBeTypeOf('object')
    }
  }
})
