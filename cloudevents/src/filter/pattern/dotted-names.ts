/** Names with dots in events: to a pattern key with dots they are the same as a path. */
import { memberOf } from './member.ts'

/** The object with the members that these keys name also at the path that the keys are. A copy if there are some. */
export function withDottedNames(object: object, keys: readonly string[]): object {
  return keys.reduce((result, key) => {
    const value = memberOf(object, key)
    return value === undefined ? result : withMember(result, key.split('.'), value)
  }, object)
}

function withMember(object: object, path: readonly string[], value: unknown): object {
  const [name = '', ...rest] = path
  const before = memberOf(object, name)
  if (rest.length === 0) return { ...object, [name]: before === undefined ? value : [before, value] }
  const inner = typeof before === 'object' && before !== null && !Array.isArray(before) ? before : {}
  return { ...object, [name]: withMember(inner, rest, value) }
}
