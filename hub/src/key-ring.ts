import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { SluiceError } from '@sluice/core/model'
import type { KeyRing } from '@sluice/core/spi'

/** Bytes of a master key. */
export const masterKeyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const scheme = 'v1'

type Keys = { readonly id: string; readonly cipher: Buffer; readonly hash: Buffer }

/**
 * A key ring over master keys of 32 bytes: the first encrypts and hashes, all of them decrypt and match, so that a new
 * one can be put before an old one. AES-256-GCM with a fresh 96-bit nonce; `bind` is the additional data
 * (reliability.md §6.8). An encrypted text is `v1.<key id>.<base64url of nonce, tag and cipher text>`.
 */
export function createKeyRing(masterKeys: readonly Uint8Array[]): KeyRing {
  const ring = masterKeys.map(derive)
  const current = ring[0]
  if (current === undefined) throw new TypeError('a key ring needs a master key')
  return {
    encrypt(plain, bind) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', current.cipher, nonce).setAAD(Buffer.from(bind))
      const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return `${scheme}.${current.id}.${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')}`
    },
    decrypt(text, bind) {
      const [version, id, packed, ...rest] = text.split('.')
      const keys = ring.find(candidate => candidate.id === id)
      if (version !== scheme || packed === undefined || rest.length > 0) throw unreadable('it is not an encrypted text')
      if (keys === undefined) throw unreadable('it was encrypted with a master key that is not at hand')
      const bytes = Buffer.from(packed, 'base64url')
      if (bytes.length < nonceBytes + tagBytes) throw unreadable('it is cut short')
      try {
        const decipher = createDecipheriv('aes-256-gcm', keys.cipher, bytes.subarray(0, nonceBytes))
        decipher.setAAD(Buffer.from(bind)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
        return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString(
          'utf8',
        )
      } catch (cause) {
        throw unreadable('it was changed, or belongs elsewhere', cause)
      }
    },
    hash: secret => digest(current, secret).toString('hex'),
    matches(secret, hash) {
      const stored = Buffer.from(hash, 'hex')
      // Every key is tried, so that time tells neither which one fits nor where a difference is.
      let found = false
      for (const keys of ring) {
        const computed = digest(keys, secret)
        found = (stored.length === computed.length && timingSafeEqual(stored, computed)) || found
      }
      return found
    },
  }
}

/** Names a master key without telling anything of it. */
export function masterKeyId(masterKey: Uint8Array): string {
  return createHash('sha256').update('sluice master key id\n').update(masterKey).digest('hex').slice(0, 8)
}

/** One key for each purpose: none is ever used for two. */
function derive(masterKey: Uint8Array): Keys {
  if (masterKey.length !== masterKeyBytes) throw new TypeError(`a master key has ${masterKeyBytes} bytes`)
  const part = (purpose: string): Buffer =>
    Buffer.from(hkdfSync('sha256', masterKey, Buffer.alloc(0), `sluice ${purpose}`, masterKeyBytes))
  return { id: masterKeyId(masterKey), cipher: part('encryption'), hash: part('credential hash') }
}

function digest(keys: Keys, secret: string): Buffer {
  return createHmac('sha256', keys.hash).update(secret).digest()
}

function unreadable(reason: string, cause?: unknown): SluiceError {
  return new SluiceError('SLUICE_SECRET_UNREADABLE', `A stored secret cannot be read: ${reason}.`, { cause })
}
