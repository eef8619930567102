import type { Config } from './schema.ts'
import { rootNode, type SchemaNode } from './schema-node.ts'

/** The effective configuration as YAML, secrets as `***`. */
export async function printConfig(config: Config): Promise<string> {
  const { stringify } = await import('yaml')
  return stringify(masked(rootNode, config))
}

/** A copy in which every secret is `***`. */
function masked(node: SchemaNode, value: unknown): unknown {
  if (value === undefined) return undefined
  if (node.secret) return '***'
  if (node.items !== undefined && Array.isArray(value)) {
    const { items } = node
    return value.map(item => masked(items, item))
  }
  if (node.properties === undefined || value === null || typeof value !== 'object') return value
  const { properties } = node
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(properties[key] ?? {}, inner)]))
}
