import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configurationReference } from '@sluice/core/config'
import { errorCodes, errorReference } from '@sluice/core/model'

/** The pages say what is true. */

const root = resolve(import.meta.dirname, '..')

describe('pages made from the code', () => {
  it('hold every setting as the schema has it (npm run docs writes the page)', () => {
    expect(read('docs/reference/configuration.md')).toBe(configurationReference())
  })

  it('hold every error code as the table has it (npm run docs writes the page)', () => {
    expect(read('docs/reference/errors.md')).toBe(errorReference())
    for (const code of Object.keys(errorCodes)) expect(errorReference()).toContain(`\`${code}\``)
  })
})

describe('docs/dependencies.md', () => {
  it('has a line for every package that is named, and for no other', () => {
    const { workspaces, ...main } = JSON.parse(read('package.json')) as Manifest & { workspaces: string[] }
    const manifests = [main, ...workspaces.map(folder => JSON.parse(read(`${folder}/package.json`)) as Manifest)]
    const named = manifests.flatMap(manifest => [
      ...Object.keys(manifest.dependencies ?? {}),
      ...Object.keys(manifest.devDependencies ?? {}),
      ...Object.keys(manifest.overrides ?? {}),
    ])
    const foreign = new Set(named.filter(name => !name.startsWith('@sluice/')))
    const rows = read('docs/dependencies.md')
      .split('\n')
      .filter(line => line.startsWith('| `'))
    const explained = rows.flatMap(row => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name))
    expect([...explained].sort()).toEqual([...foreign].sort())
  })
})

describe('links between pages', () => {
  it('lead to files that are there', context => {
    const broken: string[] = []
    for (const page of pages(context.skip)) {
      for (const [, target] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (target === undefined || /^(\w+:|#)/.test(target)) continue
        const [path = '', anchor] = target.split('#')
        const file = join(dirname(page), path)
        if (!existsSync(join(root, file))) broken.push(`${page}: ${target}`)
        else if (anchor !== undefined && !anchorsOf(file).includes(anchor)) broken.push(`${page}: no heading ${target}`)
      }
    }
    expect(broken).toEqual([])
  })
})

type Manifest = { dependencies?: object; devDependencies?: object; overrides?: object }

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

function pages(skip: (note: string) => never): string[] {
  try {
    const list = execFileSync('git', ['ls-files', '-z', '*.md'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return list.split('\0').filter(page => page !== '' && existsSync(join(root, page)))
  } catch {
    return skip('needs git: this is no clone')
  }
}

/** Headings as forges turn them into anchors. */
function anchorsOf(page: string): string[] {
  const headings = read(page).match(/^#+ .*$/gm) ?? []
  return headings.map(heading =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}
