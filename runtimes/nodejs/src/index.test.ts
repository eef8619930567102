import { readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { expect, it } from 'vitest'
import { nodejsRuntime } from './index.ts'

it('names the built server, also when it runs from its source', () => {
  const { serverPath } = nodejsRuntime()
  expect(isAbsolute(serverPath)).toBe(true)
  expect(serverPath.endsWith(join('runtimes', 'nodejs', 'dist', 'src', 'server.js'))).toBe(true)
})

it('knows which kind a Node.js binary serves', () => {
  const { kindOf } = nodejsRuntime()
  expect(['v20.20.2', '22.1.0', 'v24.0.0', 'v18.0.0', 'nonsense'].map(kindOf)).toEqual([
    'nodejs:20',
    'nodejs:22',
    'nodejs:24',
    undefined,
    undefined,
  ])
})

it('bounds the heap by the memory of the container', () => {
  expect(nodejsRuntime().nodeArgs(256)).toEqual(['--expose-gc', '--max-old-space-size=256'])
})

it('shows an example that is a test', () => {
  const readme = readFileSync(join(__dirname, '..', 'README.md'), 'utf8')
  const tests = readFileSync(join(__dirname, 'protocol.contract.test.ts'), 'utf8')
  const [, example = ''] = /```ts\n([^]*?)```/.exec(readme) ?? []
  const lines = (text: string): string => text.replace(/^ +/gm, '').trim()
  expect(example).not.toBe('')
  expect(lines(tests)).toContain(lines(example))
})
