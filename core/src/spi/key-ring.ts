/** Encrypts secrets at rest: authenticated, with a fresh nonce, bound to where the secret is kept (reliability.md §6.8). */
export interface KeyRing {
  /** `bind` names the entity and field; the text decrypts only with the same `bind`. */
  encrypt(plain: string, bind: string): string
  /** Throws SLUICE_SECRET_UNREADABLE for another `bind`, an unknown key id, or a changed text. */
  decrypt(text: string, bind: string): string
  /** Keyed hash of a secret, for storage and comparison (hex). */
  hash(secret: string): string
  /** Time-independent comparison of a secret with a stored hash. */
  matches(secret: string, hash: string): boolean
}
