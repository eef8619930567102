import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { importModule } from './import-module.ts'
import { LoadError } from './errors.ts'
import { moduleEntry } from './load-source-file.ts'
import { messages } from './messages.ts'
import { propertyAt } from './property-at.ts'

const indexFiles = ['index.js', 'index.mjs', 'index.cjs']

/**
 * Finds the entry of an unpacked action: `niam` is a function of the package, `file.niam.xyz` one of a file in it, with
 * a path of properties (runtimes.md §5.1).
 */
export async function loadPackage(folder: string, main: string): Promise<unknown> {
  const dot = main.indexOf('.')
  const path = main.slice(dot + 1)
  const file = dot < 0 ? packageMain(folder) : moduleFile(folder, main.slice(0, dot))
  const require = createRequire(file)
  if (!isModule(file, folder)) return propertyAt(require(file), path)
  return moduleEntry(await importModule(pathToFileURL(file).href), path)
}

function packageMain(folder: string): string {
  const index = indexFiles.map(name => join(folder, name)).find(file => existsSync(file))
  if (index === undefined && !existsSync(join(folder, 'package.json'))) throw new LoadError(messages.packageIncomplete)
  try {
    return createRequire(join(folder, 'package.json')).resolve(folder)
  } catch (error) {
    if (index === undefined || (error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    return index
  }
}

function moduleFile(folder: string, name: string): string {
  const module = ['.mjs', '.cjs'].map(extension => join(folder, name + extension)).find(file => existsSync(file))
  return module ?? createRequire(join(folder, 'package.json')).resolve(`./${name}`)
}

/** Whether Node reads the file as an ES module, by its name or by the nearest package.json. */
function isModule(file: string, folder: string): boolean {
  const extension = extname(file)
  if (extension !== '.js') return extension === '.mjs'
  for (let place = dirname(file); !relative(folder, place).startsWith('..'); place = dirname(place)) {
    const manifest = join(place, 'package.json')
    if (existsSync(manifest))
      return (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: unknown }).type === 'module'
  }
  return false
}
