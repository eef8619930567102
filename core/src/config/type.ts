import type { Type as TypeBox } from 'typebox'

/**
 * The few TypeBox constructors that the configuration needs, with TypeBox's own types and results. Loading TypeBox for
 * them would cost every start 700 files, a fifth of a second and 20 MB; a test compares the two.
 */
export const Type = {
  Object: object,
  Array: (items: unknown, options?: object) => ({ type: 'array', items, ...options }),
  Enum: (values: readonly string[], options?: object) => ({ enum: values, ...options }),
  String: (options?: object) => ({ type: 'string', ...options }),
  Integer: (options?: object) => ({ type: 'integer', ...options }),
  Boolean: (options?: object) => ({ type: 'boolean', ...options }),
  Optional: (schema: object) => Object.defineProperty({ ...schema }, optional, { value: true }),
} as unknown as Pick<typeof TypeBox, 'Object' | 'Array' | 'Enum' | 'String' | 'Integer' | 'Boolean' | 'Optional'>

/** Marks a property that need not be there; not enumerable, so that it is no part of the schema. */
const optional = '~optional'

function object(properties: Record<string, object>, options?: object): object {
  const required = Object.keys(properties).filter(key => !(optional in (properties[key] ?? {})))
  return { type: 'object', ...(required.length > 0 ? { required } : {}), properties, ...options }
}
