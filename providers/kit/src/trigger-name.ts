import { isEntityName } from '@sluice/core/model'
import { parameterError } from './feed-error.ts'

export type TriggerRef = { readonly namespace: string; readonly trigger: string }

/**
 * Reads `T`, `/_/T`, `_/T`, `/ns/T`, `ns/T` (feeds.md §1.4). `_`, and no namespace at all, mean `own`, the namespace of
 * the caller. Throws FeedError with `missingText` when there is no name.
 */
export function parseTriggerName(value: unknown, own: string | undefined, missingText: string): TriggerRef {
  if (typeof value !== 'string' || value.trim() === '') throw parameterError(missingText)
  const parts = value.replace(/^\//, '').split('/')
  const trigger = parts.pop() ?? ''
  const [given = '_', ...more] = parts
  const namespace = given === '_' ? own : given
  if (more.length > 0 || !isEntityName(trigger) || namespace === undefined || !isEntityName(namespace)) {
    throw parameterError(`triggerName parameter '${value}' is not a valid trigger name`)
  }
  return { namespace, trigger }
}

/** The id of the subscription on a trigger. A colon cannot be part of a name, so ids are unambiguous. */
export function subscriptionId(ref: TriggerRef): string {
  return `${ref.namespace}:${ref.trigger}`
}
