import { readFileSync, readdirSync, existsSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import ts from 'typescript'

/** House rules that a machine can keep: who imports whom, what files are called, what no file may name. */

const root = resolve(import.meta.dirname, '..')

/**
 * Who may import whom. The first area that matches a file is its own; a file may always import from its own area.
 * `$1` is what the area's own pattern found, so that one provider cannot name another.
 */
const areas: readonly { area: RegExp; mayImport: readonly string[] }[] = [
  { area: /^core\/src\/model\//, mayImport: [] },
  { area: /^cloudevents\/src\//, mayImport: [] },
  { area: /^runtimes\/([^/]+)\/src\//, mayImport: [] },
  { area: /^core\/src\/spi\//, mayImport: ['core/src/model/'] },
  { area: /^core\/src\/config\//, mayImport: ['core/src/model/'] },
  // Its waits go through the Clock.
  { area: /^core\/src\/client\//, mayImport: ['core/src/model/', 'core/src/spi/'] },
  // What every container factory does with output, and with what others of them left.
  { area: /^core\/src\/container\/(output|ownership)\//, mayImport: ['core/src/model/', 'core/src/spi/'] },
  {
    area: /^core\/src\/(backend|container)\/([^/]+)\//,
    mayImport: [
      'core/src/model/',
      'core/src/spi/',
      'core/src/config/',
      'core/src/container/output/',
      'core/src/container/ownership/',
    ],
  },
  { area: /^core\/contract\//, mayImport: ['core/src/model/', 'core/src/spi/', 'core/src/config/'] },
  {
    area: /^core\/src\/controller\//,
    mayImport: ['core/src/model/', 'core/src/spi/', 'core/src/config/', 'cloudevents/src/'],
  },
  {
    area: /^core\/src\/invoker\//,
    mayImport: ['core/src/model/', 'core/src/spi/', 'core/src/config/', 'cloudevents/src/'],
  },
  // The suite that providers run, with what it stands on.
  {
    area: /^providers\/kit\/src\/contract\//,
    mayImport: [
      'providers/kit/src/',
      'core/contract/',
      'core/src/backend/',
      'core/src/client/',
      'core/src/model/',
      'core/src/spi/',
    ],
  },
  {
    area: /^providers\/kit\/src\//,
    mayImport: ['core/src/client/', 'core/src/model/', 'core/src/spi/', 'cloudevents/src/'],
  },
  {
    area: /^providers\/([^/]+)\/src\//,
    mayImport: ['providers/kit/src/', 'core/src/model/', 'core/src/spi/', 'cloudevents/src/'],
  },
  { area: /^(hub|test|bench)\//, mayImport: ['core/', 'cloudevents/', 'runtimes/', 'providers/', 'hub/', 'test/'] },
]

/** What tests that lie beside their source, and their fixtures, may import besides: also the backends, real ones
 *  being better than doubles. */
const isTest = /\.test\.ts$|\/testing\//
const testsMayImport = [
  'core/contract/',
  'core/src/backend/',
  'core/src/client/',
  'core/src/spi/',
  'core/src/model/',
  'providers/kit/src/contract/',
  'runtimes/contract/src/',
]

const packages = readPackages()
const sources = [...packages.values()].flatMap(({ folder }) => sourcesIn(join(root, folder)))
const imports = new Map(sources.map(file => [file, importsOf(file)]))

describe('imports', () => {
  it('are found at all', () => {
    expect(sources.length).toBeGreaterThan(100)
    expect([...imports.values()].flat().filter(({ target }) => target !== undefined).length).toBeGreaterThan(200)
  })

  it('go only where their folder may import from', () => {
    const wrong: string[] = []
    for (const [file, found] of imports) {
      for (const { target, text } of found) {
        if (target !== undefined && !allowed(file, target)) wrong.push(`${file} imports ${text} (${target})`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('are refused where the rules say so', () => {
    expect(allowed('core/src/controller/a.ts', 'core/src/invoker/b.ts')).toBe(false)
    expect(allowed('core/src/model/a.ts', 'core/src/spi/b.ts')).toBe(false)
    expect(allowed('providers/alarms/src/a.ts', 'providers/kafka/src/b.ts')).toBe(false)
    expect(allowed('providers/alarms/src/a.ts', 'core/src/controller/b.ts')).toBe(false)
    expect(allowed('core/src/invoker/a.ts', 'core/src/backend/memory/b.ts')).toBe(false)
    expect(allowed('core/src/backend/memory/a.ts', 'core/src/backend/embedded/b.ts')).toBe(false)
    expect(allowed('core/src/invoker/a.ts', 'core/contract/b.ts')).toBe(false)
    expect(allowed('core/src/invoker/a.test.ts', 'core/contract/b.ts')).toBe(true)
    expect(allowed('core/src/controller/testing/a.ts', 'core/src/backend/memory/b.ts')).toBe(true)
    expect(allowed('core/src/invoker/a.test.ts', 'core/src/backend/embedded/b.ts')).toBe(true)
    expect(allowed('core/src/invoker/a.test.ts', 'core/src/controller/b.ts')).toBe(false)
    expect(allowed('providers/alarms/src/a.test.ts', 'core/src/controller/b.ts')).toBe(false)
    expect(allowed('hub/src/a.ts', 'core/src/backend/memory/b.ts')).toBe(true)
  })

  it('cross from package to package only at the exports, and inside one by the name of the .ts file', () => {
    const wrong: string[] = []
    for (const [file, found] of imports) {
      for (const { text, target } of found) {
        if (text.startsWith('.')) {
          const inside = target !== undefined && folderOf(target) === folderOf(file)
          if (!inside || !/\.(ts|mts|js|mjs|json)$/.test(text)) wrong.push(`${file}: ${text}`)
        } else if (text.startsWith('@sluice/') && target === undefined) {
          wrong.push(`${file}: ${text} is no export`)
        }
      }
    }
    expect(wrong).toEqual([])
  })

  it('name only packages that the package.json of their workspace, or for tests the root, declares', () => {
    const shared = dependenciesOf('.')
    const wrong: string[] = []
    for (const [file, found] of imports) {
      const own = dependenciesOf(folderOf(file))
      const forDevelopment = isTest.test(file) || /^(test|bench)\//.test(file)
      for (const { text } of found) {
        if (text.startsWith('.') || text.startsWith('node:')) continue
        const name = text
          .split('/')
          .slice(0, text.startsWith('@') ? 2 : 1)
          .join('/')
        const itself = packages.get(name)?.folder === folderOf(file)
        const known = itself || own.has(name) || (forDevelopment && (shared.has(name) || packages.has(name)))
        if (!known) wrong.push(`${file}: ${name}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('never form a circle, not even of types', () => {
    const edges = new Map<string, string[]>()
    for (const [file, found] of imports)
      edges.set(
        file,
        found.flatMap(({ target }) => target ?? []),
      )
    expect(findCircle(edges)).toBeUndefined()
  })

  it('would be seen to form one', () => {
    const edges = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b']],
    ])
    expect(findCircle(edges)).toEqual(['b', 'c', 'b'])
  })
})

describe('files', () => {
  it('are named after what is in them', () => {
    const vague = /(^|\/)(utils?|common|helpers?|misc|stuff)(\.|\/|$)/
    expect(sources.filter(file => vague.test(file))).toEqual([])
    expect(sources.filter(file => !/^[a-z0-9.\-/]+$/.test(file))).toEqual([])
  })

  it('name no machine, workplace or package registry', context => {
    const names = /(^|[\s'"`(=:])\/(work|root|home)\/\w|registry\.\w+\.\w+|npmjs|artifactory|nexus\b/i
    const here = relative(root, import.meta.filename)
    const wrong: string[] = []
    for (const file of trackedFiles(context.skip)) {
      if (file === here || !existsSync(join(root, file))) continue
      const lines = readFileSync(join(root, file), 'utf8').split('\n')
      lines.forEach(
        (line, index) => names.test(line) && wrong.push(`${file}:${index + 1}: ${line.trim().slice(0, 100)}`),
      )
    }
    expect(wrong).toEqual([])
  })

  it('of the lock hold no address of a registry', () => {
    const { packages: locked } = readJson('package-lock.json') as { packages: Record<string, { resolved?: string }> }
    const remote = Object.values(locked).filter(({ resolved }) => resolved !== undefined && /^\w+:\/\//.test(resolved))
    expect(remote).toEqual([])
  })
})

type Import = { readonly text: string; readonly target: string | undefined }
type Manifest = {
  exports?: Record<string, { '@sluice/source'?: string }>
  dependencies?: object
  devDependencies?: object
  overrides?: object
  name: string
}

/** Our packages by name, each with its folder and its manifest. */
function readPackages(): Map<string, { folder: string; manifest: Manifest }> {
  const { workspaces } = readJson('package.json') as { workspaces: string[] }
  return new Map(
    workspaces.map(folder => {
      const manifest = readJson(`${folder}/package.json`) as Manifest
      return [manifest.name, { folder, manifest }]
    }),
  )
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}

function dependenciesOf(folder: string): Set<string> {
  const manifest = readJson(join(folder, 'package.json')) as Manifest
  return new Set([...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.devDependencies ?? {})])
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    if (['node_modules', 'dist'].includes(entry.name) || entry.name.startsWith('.')) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sourcesIn(path)
    return entry.name.endsWith('.ts') ? [relative(root, path)] : []
  })
}

function folderOf(file: string): string {
  return [...packages.values()].map(({ folder }) => folder).find(folder => file.startsWith(`${folder}/`)) ?? '.'
}

/** What a file imports, also of types and lazily; `target` is the file it means, when that is ours. */
function importsOf(file: string): Import[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), 'utf8'), true, true)
  return importedFiles.map(({ fileName: text }) => ({ text, target: targetOf(file, text) }))
}

function targetOf(file: string, text: string): string | undefined {
  if (text.startsWith('.')) return relative(root, resolve(root, dirname(file), text))
  const [scope, name, ...rest] = text.split('/')
  const found = packages.get(`${scope}/${name}`)
  const source = found?.manifest.exports?.[['.', ...rest].join('/')]?.['@sluice/source']
  return found && source ? join(found.folder, source) : undefined
}

function allowed(file: string, target: string): boolean {
  const rule = areas.find(({ area }) => area.test(file))
  if (rule === undefined) return true
  const own = rule.area.exec(file)?.[0] ?? ''
  const besides = isTest.test(file) ? testsMayImport : []
  return [own, ...rule.mayImport, ...besides].some(prefix => target.startsWith(prefix))
}

/** The files of a circle, the first one again at the end; nothing when there is none. */
function findCircle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const finished = new Set<string>()
  const path: string[] = []
  const visit = (file: string): string[] | undefined => {
    const at = path.indexOf(file)
    if (at >= 0) return [...path.slice(at), file]
    if (finished.has(file)) return undefined
    path.push(file)
    for (const next of edges.get(file) ?? []) {
      const circle = visit(next)
      if (circle) return circle
    }
    path.pop()
    finished.add(file)
    return undefined
  }
  for (const file of edges.keys()) {
    const circle = visit(file)
    if (circle) return circle
  }
  return undefined
}

function trackedFiles(skip: (note: string) => never): string[] {
  try {
    const list = execFileSync('git', ['ls-files', '-z'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return list.split('\0').filter(file => file !== '')
  } catch {
    return skip('needs git: this is no clone')
  }
}
