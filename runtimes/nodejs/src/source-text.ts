/** What the two ways of loading source text know of it. */

/** Messages by which V8 says that a text is an ES module, or needs to be one. */
const moduleSyntax = [
  "Unexpected token 'export'",
  'Cannot use import statement outside a module',
  "Cannot use 'import.meta' outside a module",
  'await is only valid in async functions and the top level bodies of modules',
]

/** Whether compiling failed because the text is an ES module. */
export function isModuleSyntax(error: unknown): boolean {
  return error instanceof SyntaxError && moduleSyntax.includes(error.message)
}

/** Appended to the text, inside its function, so that it sees `const main` as well as globals. */
export function entryLookup(main: string): string {
  return `\n;try { return ${main} } catch (error) { if (!(error instanceof ReferenceError)) throw error }`
}
