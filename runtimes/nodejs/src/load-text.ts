import { createRequire } from 'node:module'
import { join } from 'node:path'
import { compileFunction } from 'node:vm'
import { propertyAt } from './property-at.ts'
import { entryLookup, isModuleSyntax } from './source-text.ts'

type TextModule = { exports: unknown }

/**
 * Evaluates source text in a sloppy-mode function and looks its entry up: an identifier in scope, then
 * `module.exports`, then `exports` (runtimes.md §5.1). Text that only parses as an ES module becomes one.
 */
export async function loadText(code: string, main: string): Promise<unknown> {
  // Dynamic imports need a file to start from.
  if (/\bimport\s*\(/.test(code)) return (await import('./load-source-file.ts')).loadSourceFile(code, main)
  let evaluate
  try {
    evaluate = compile(code, main)
  } catch (error) {
    if (!isModuleSyntax(error)) throw error
    return (await import('./load-source-file.ts')).loadSourceFile(code, main)
  }
  const module: TextModule = { exports: {} }
  const { exports } = module
  const found = evaluate(exports, requireForText(), module, join(process.cwd(), 'action.js'), process.cwd())
  return typeof found === 'function' ? found : (propertyAt(module.exports, main) ?? propertyAt(exports, main))
}

type Evaluate = (exports: unknown, require: unknown, module: TextModule, file: string, folder: string) => unknown

function compile(code: string, main: string): Evaluate {
  const parameters = ['exports', 'require', 'module', '__filename', '__dirname']
  const options = { filename: 'action.js' }
  try {
    return compileFunction(code + entryLookup(main), parameters, options) as Evaluate
  } catch {
    // Either the text is wrong, and this throws its true error, or `main` is no identifier (`default`).
    return compileFunction(code, parameters, options) as Evaluate
  }
}

/** Packages come from where the runtime has its own; relative names start at the working directory. */
function requireForText(): NodeJS.Require {
  const own = createRequire(__filename)
  const relative = createRequire(join(process.cwd(), 'action.js'))
  const require = (id: string): unknown => (id.startsWith('.') ? relative(id) : own(id))
  return Object.assign(require, { resolve: own.resolve, cache: own.cache, main: own.main, extensions: own.extensions })
}
