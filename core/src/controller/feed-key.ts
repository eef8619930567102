import { parseJson, stringifyJson, type ActivationMessage } from '../model/index.ts'
import type { KeyRing } from '../spi/index.ts'

/** The parameter by which clients hand a feed action the key that its trigger is to be fired with. */
const feedKey = 'authKey'

/**
 * Locks the key in a feed's lifecycle call, as the hub locks parameters of its own: messages, claims and whatever is kept
 * of them never hold a key (design.md §7). The invoker opens it for `/run`. It is bound to the activation, so that it opens
 * nowhere else. `payloadKeys` are the payload's own; a message without the key comes back as it is.
 */
export function lockFeedKey(
  message: ActivationMessage,
  payloadKeys: readonly string[],
  keyRing: KeyRing,
): ActivationMessage {
  if (!payloadKeys.includes(feedKey)) return message
  const content = parseJson(message.content) as Record<string, unknown>
  const value = content[feedKey]
  // What is no text is no key; feeds refuse it.
  if (typeof value !== 'string') return message
  const bind = `activation:${message.activationId}:${feedKey}`
  return {
    ...message,
    content: stringifyJson({ ...content, [feedKey]: keyRing.encrypt(JSON.stringify(value), bind) }),
    lockedArgs: [...(message.lockedArgs ?? []), { key: feedKey, bind }],
  }
}
