import { ApiError, bounds, type SequenceExec, type WhiskAction, type WhiskPackage } from '../model/index.ts'
import type { Load } from './entitlement.ts'
import { bindingId } from './entitlement.ts'

/** Checks a sequence's definition (rest-api.md §4.7): its length, also of nested ones, and that it never leads to itself.
 *  `id` is `ns[/pkg]/name` of the sequence. Throws 400. */
export async function checkSequence(load: Load, id: string, exec: SequenceExec): Promise<void> {
  if (exec.components.length > bounds.api.sequenceLengthMax) throw tooLong()
  if (exec.components.length === 0) throw new ApiError(400, 'No component specified for the sequence.')
  await countAtomic(load, exec, id, new Map(), 0)
}

/** Atomic actions of a sequence. What was counted once is not looked at again, so nested fans cost no more than they are
 *  long. */
async function countAtomic(
  load: Load,
  exec: SequenceExec,
  id: string,
  counted: Map<string, number>,
  depth: number,
): Promise<number> {
  // A longer chain has more than the allowed number of sequences, whatever is in them.
  if (depth > bounds.api.sequenceLengthMax) throw tooLong()
  let sum = 0
  for (const component of exec.components) {
    const target = await resolveComponent(load, component.replace(/^\//, ''))
    if (target === id) throw new ApiError(400, 'Sequence may not refer to itself.')
    let size = counted.get(target)
    if (size === undefined) {
      const stored = await load(target)
      if (stored?.document.entityType !== 'action') throw missingComponent()
      const inner = (stored.document as unknown as WhiskAction).exec
      size = 'components' in inner ? await countAtomic(load, inner, id, counted, depth + 1) : 1
      counted.set(target, size)
    }
    sum += size
    if (sum > bounds.api.sequenceLengthMax) throw tooLong()
  }
  return sum
}

/** Follows a binding: `ns/binding/name` becomes `provider/pkg/name`. */
async function resolveComponent(load: Load, component: string): Promise<string> {
  const slash = component.lastIndexOf('/')
  const path = component.slice(0, slash)
  if (!path.includes('/')) return component
  const stored = await load(path)
  if (stored?.document.entityType !== 'package') return component
  const target = bindingId(stored.document as unknown as WhiskPackage)
  return target === undefined ? component : target + component.slice(slash)
}

function tooLong(): ApiError {
  return new ApiError(400, 'Too many actions in the sequence.')
}

function missingComponent(): ApiError {
  return new ApiError(400, 'Sequence component does not exist.')
}
