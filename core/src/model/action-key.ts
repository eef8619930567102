/**
 * Short-lived keys for actions that ask for one (design.md §7): `uuid:64 characters`, so that every OpenWhisk client
 * takes them, and checkable by any controller without a look-up: `sak1`, expiry (9 base-36 digits), keyed hash.
 */
const prefix = 'sak1'
const expiryDigits = 9
const macDigits = 64 - prefix.length - expiryDigits

/** `hash` is the hub's keyed hash (hex, 64 digits). `expiresAtMs` is epoch milliseconds. */
export function mintActionKey(uuid: string, expiresAtMs: number, hash: (text: string) => string): string {
  const expiry = Math.ceil(expiresAtMs).toString(36).padStart(expiryDigits, '0')
  return prefix + expiry + hash(`action-key:${uuid}:${expiry}`).slice(0, macDigits)
}

/** True for an unexpired action key of this uuid. `equal` compares in constant time. */
export function isActionKey(
  uuid: string,
  key: string,
  nowMs: number,
  hash: (text: string) => string,
  equal: (a: string, b: string) => boolean,
): boolean {
  if (!key.startsWith(prefix) || key.length !== 64) return false
  const expiry = key.slice(prefix.length, prefix.length + expiryDigits)
  if (!(parseInt(expiry, 36) > nowMs)) return false
  return equal(key.slice(prefix.length + expiryDigits), hash(`action-key:${uuid}:${expiry}`).slice(0, macDigits))
}
