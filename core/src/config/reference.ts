import { expectation } from './check.ts'
import { environmentName } from './from-environment.ts'
import { eachLeaf, rootNode, type SchemaNode } from './schema-node.ts'

/** The text of docs/reference/configuration.md, made from the schema. */
export function configurationReference(): string {
  const lines = [
    '# Configuration',
    '',
    '<!-- Made by `npm run docs` from core/src/config/schema.ts. Do not edit. -->',
    '',
    'Every setting has a default. A file (`--config FILE`, or `sluice.yaml` in the working directory) overrides the',
    'defaults, the environment overrides the file, options on the command line override the environment.',
    '',
    '- Only environment names that contain `__` are settings. The variable of each is in the tables; an empty one counts',
    '  as unset. Lists are given as JSON.',
    '- `SLUICE_TEST_*` belongs to the tests and is ignored by the hub.',
    '- Unknown names are refused. All mistakes are reported at once, each with its place, and the hub ends with code 2.',
    '- Secrets are printed as `***`.',
    '',
    '```yaml',
    '# sluice.yaml',
    'http:',
    '  port: 8080',
    'limits:',
    '  profile: openwhisk',
    '  actions:',
    '    concurrencyMax: 10',
    '```',
  ]
  const sections = new Map<string, string[]>()
  eachLeaf(rootNode, (path, leaf) => {
    const section = path.slice(0, -1).join('.')
    const rows = sections.get(section) ?? []
    rows.push(...rowsOf(path, leaf))
    sections.set(section, rows)
  })
  for (const [section, rows] of sections) {
    lines.push('', section === '' ? '## At the top' : `## ${section}`, '')
    if (section !== '') lines.push(descriptionOf(section), '')
    lines.push('| Setting | Environment | Value | Default | Meaning |', '|---|---|---|---|---|', ...rows)
  }
  return `${lines.join('\n')}\n`
}

function rowsOf(path: readonly string[], leaf: SchemaNode): string[] {
  const name = path.join('.')
  const value = leaf.items === undefined ? expectation(leaf) : `a list of at most ${leaf.maxItems} entries`
  const standard = leaf.default === undefined ? '' : `\`${JSON.stringify(leaf.default)}\``
  const rows = [row(`\`${name}\``, `\`${environmentName(path)}\``, value, standard, leaf.description ?? '')]
  for (const [key, child] of Object.entries(leaf.items?.properties ?? {})) {
    rows.push(row(`\`${name}[].${key}\``, '', expectation(child), '', child.description ?? ''))
  }
  return rows
}

function row(...cells: string[]): string {
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function descriptionOf(section: string): string {
  let node: SchemaNode | undefined = rootNode
  for (const key of section.split('.')) node = node?.properties?.[key]
  return node?.description ?? ''
}
