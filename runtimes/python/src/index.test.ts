import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { findPython } from './index.ts'

/** Folders for a PATH, each with programs by name: a script's text, or `-> name` for a link. */
function pathOf(...folders: Record<string, string>[]): { path: string; root: string } {
  const root = mkdtempSync(join(tmpdir(), 'pythons-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const places = folders.map((programs, index) => {
    const folder = join(root, String(index))
    mkdirSync(folder)
    for (const [name, content] of Object.entries(programs)) {
      if (content.startsWith('-> ')) symlinkSync(content.slice(3), join(folder, name))
      else writeFileSync(join(folder, name), content)
      if (!content.startsWith('-> ')) chmodSync(join(folder, name), 0o755)
    }
    return folder
  })
  return { path: places.join(':'), root }
}

const binary = '\x7fELF'
const shim = (minor: string) => `#!/bin/sh\necho "3 ${minor} /somewhere/python3.${minor}"\n`

it('knows a version by its name and starts nothing', () => {
  const { path, root } = pathOf({ python3: shim('9') }, { 'python3.12': binary, python3: '-> python3.12' })
  const found = findPython(path)
  expect(found).toMatchObject({ command: join(root, '1', 'python3'), kinds: ['python:3.12', 'python:3'] })
})

it('prefers the default version', () => {
  const { path } = pathOf({ 'python3.12': binary, python3: '-> python3.12' }, { 'python3.11': binary })
  expect(findPython(path)?.kinds).toEqual(['python:3.11', 'python:3'])
})

it('asks shims where there is nothing else', () => {
  const { path } = pathOf({ 'python3.11': '#!/bin/sh\nexit 127\n', python3: shim('10') })
  expect(findPython(path)).toMatchObject({ command: '/somewhere/python3.10', kinds: ['python:3.10', 'python:3'] })
})

it('finds nothing where there is nothing of ours', () => {
  expect(findPython(pathOf({}).path)).toBeUndefined()
  expect(findPython(pathOf({ 'python3.8': binary, python3: '-> python3.8' }).path)).toBeUndefined()
  expect(findPython(pathOf({ python3: '#!/bin/sh\necho nonsense\n' }).path)).toBeUndefined()
})

it('names a program that is there', () => {
  const { path } = pathOf({ 'python3.11': binary })
  expect(existsSync(findPython(path)?.args.at(-1) ?? '')).toBe(true)
})

it('shows an example that is a test', () => {
  const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8')
  const tests = readFileSync(join(import.meta.dirname, 'python.contract.test.ts'), 'utf8')
  const [, example = ''] = /```ts\n([^]*?)```/.exec(readme) ?? []
  const lines = (text: string): string => text.replace(/^ +/gm, '').trim()
  expect(example).not.toBe('')
  expect(lines(tests)).toContain(lines(example))
})
