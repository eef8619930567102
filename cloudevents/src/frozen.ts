/** JSON values that nobody can change, for an event's data is as immutable as its attributes. */
import { checkDepth, defaultLimits } from './limits.ts'

/** Freezes a value that was parsed just now, so that it has no other owner, no cycle, and a depth that was checked. */
export function freezeParsed<T>(value: T): T {
  if (typeof value === 'object' && value !== null) freezeObject(value as Record<string, unknown>)
  return value
}

function freezeObject(object: Record<string, unknown>): void {
  if (Array.isArray(object)) {
    for (const item of object as unknown[]) {
      if (typeof item === 'object' && item !== null) freezeObject(item as Record<string, unknown>)
    }
  } else {
    for (const key in object) {
      const item = object[key]
      if (typeof item === 'object' && item !== null) freezeObject(item as Record<string, unknown>)
    }
  }
  Object.freeze(object)
}

/**
 * A frozen copy of a caller's value: of its arrays and plain objects; what has a class (a Date, a number of another JSON
 * library) stays as it is. Throws CloudEventError `depth` for cycles and for more levels than a decoder would take.
 */
export function frozenCopy(value: unknown, depth = 1): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    checkDepth(depth, defaultLimits)
    return Object.freeze(value.map((item: unknown) => frozenCopy(item, depth + 1)))
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  checkDepth(depth, defaultLimits)
  const copy: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    const member = frozenCopy(item, depth + 1)
    // Set by name it would become the prototype.
    if (key === '__proto__') Object.defineProperty(copy, key, { value: member, enumerable: true })
    else copy[key] = member
  }
  return Object.freeze(copy)
}
