import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compileFunction } from 'node:vm'
import { importModule } from './import-module.ts'
import { propertyAt } from './property-at.ts'
import { entryLookup, isModuleSyntax } from './source-text.ts'
import { createWorkspace } from './workspace.ts'

/**
 * Loads source text from a file of its own: ES modules, and scripts with `import()`, which Node resolves from files only.
 * The entry of a module is its export `main`; for `main` itself also a function that is the default export.
 */
export async function loadSourceFile(code: string, main: string): Promise<unknown> {
  const folder = createWorkspace()
  if (isScript(code)) return loadScript(join(folder, 'action.cjs'), code, main)
  const file = join(folder, 'action.mjs')
  writeFileSync(file, code)
  return moduleEntry(await importModule(pathToFileURL(file).href), main)
}

/** The entry in an ES module: a named export, a property of the default one, the default one, or a global. */
export function moduleEntry(namespace: unknown, main: string): unknown {
  const { default: fallback } = namespace as { default?: unknown }
  const found = propertyAt(namespace, main) ?? propertyAt(fallback, main) ?? propertyAt(globalThis, main)
  return found === undefined && main === 'main' && typeof fallback === 'function' ? fallback : found
}

function isScript(code: string): boolean {
  try {
    compileFunction(code)
    return true
  } catch (error) {
    if (isModuleSyntax(error)) return false
    throw error
  }
}

function loadScript(file: string, code: string, main: string): unknown {
  // On one line with the text's first, so that line numbers stay those of the author.
  writeFileSync(
    file,
    `exports.found = (function (module, exports) {${code}${entryLookup(main)}\n})(exports, exports.exports = {})`,
  )
  const script = createRequire(file)(file) as { found: unknown; exports: unknown }
  return typeof script.found === 'function' ? script.found : propertyAt(script.exports, main)
}
