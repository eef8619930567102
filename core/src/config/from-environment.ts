import { givenText, type Given, type Mistake } from './given.ts'
import type { SchemaNode } from './schema-node.ts'

/**
 * Settings from environment variables, one tree for each variable, the more general first. `SLUICE_HTTP__PORT` sets
 * `http.port`, `SLUICE__DATA_DIR` sets `dataDir`. Names without `__` are not configuration, `SLUICE_TEST_*` belongs to
 * the tests, an empty value counts as unset.
 */
export function fromEnvironment(
  schema: SchemaNode,
  env: Readonly<Record<string, string | undefined>>,
  mistakes: Mistake[],
): Given[] {
  const found: { path: string[]; name: string; text: string }[] = []
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('SLUICE_') || !name.includes('__') || name.startsWith('SLUICE_TEST_')) continue
    if (text === undefined || text === '') continue
    const words = name.slice('SLUICE_'.length).replace(/^_/, '').split('__')
    found.push({ path: pathOf(schema, words), name, text })
  }
  found.sort((a, b) => a.path.length - b.path.length || (a.name < b.name ? -1 : 1))
  return found.map(({ path, name, text }) => givenText(schema, path, text, name, mistakes))
}

/** `http.port` is `SLUICE_HTTP__PORT`, `dataDir` is `SLUICE__DATA_DIR`. */
export function environmentName(path: readonly string[]): string {
  const words = path.map(key => key.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase())
  return words.length === 1 ? `SLUICE__${words[0]}` : `SLUICE_${words.join('__')}`
}

/** Keys as the schema spells them; words that it does not know stay, in camel case, to be refused by name. */
function pathOf(schema: SchemaNode, words: readonly string[]): string[] {
  let node: SchemaNode | undefined = schema
  return words.map(word => {
    const folded = word.replaceAll('_', '').toLowerCase()
    const key = Object.keys(node?.properties ?? {}).find(candidate => candidate.toLowerCase() === folded)
    node = key === undefined ? undefined : node?.properties?.[key]
    return key ?? word.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
  })
}
