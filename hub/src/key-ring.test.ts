import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isSluiceError } from '@sluice/core/model'
import { createKeyRing, masterKeyId } from './key-ring.ts'

const master = randomBytes(32)

describe('key ring', () => {
  it('reads back what it encrypted for the same place', () => {
    const ring = createKeyRing([master])
    const text = ring.encrypt('pässword', 'guest/trigger#password')
    expect(text).toMatch(new RegExp(`^v1\\.${masterKeyId(master)}\\.[\\w-]+$`))
    expect(text).not.toContain('pässword')
    expect(ring.decrypt(text, 'guest/trigger#password')).toBe('pässword')
    expect(ring.decrypt(ring.encrypt('', 'x'), 'x')).toBe('')
  })

  it('uses a fresh nonce each time', () => {
    const ring = createKeyRing([master])
    expect(ring.encrypt('same', 'place')).not.toBe(ring.encrypt('same', 'place'))
  })

  it('refuses a text that was moved, changed, cut, or is none', () => {
    const ring = createKeyRing([master])
    const text = ring.encrypt('secret', 'here')
    const flipped = text.slice(0, -3) + (text.at(-3) === 'A' ? 'B' : 'A') + text.slice(-2)
    const broken: [string, string][] = [
      [text, 'elsewhere'],
      [flipped, 'here'],
      [text.slice(0, 30), 'here'],
      [`${text}.x`, 'here'],
      [text.replace('v1', 'v2'), 'here'],
      ['plain text', 'here'],
      ['', 'here'],
    ]
    for (const [changed, bind] of broken)
      expect(codeOf(() => ring.decrypt(changed, bind))).toBe('SLUICE_SECRET_UNREADABLE')
  })

  it('reads and matches under an older master key, and writes under the newest', () => {
    const newer = randomBytes(32)
    const before = createKeyRing([master])
    const after = createKeyRing([newer, master])
    expect(after.decrypt(before.encrypt('kept', 'b'), 'b')).toBe('kept')
    expect(after.matches('key', before.hash('key'))).toBe(true)
    expect(after.encrypt('x', 'b')).toContain(masterKeyId(newer))
    expect(codeOf(() => before.decrypt(after.encrypt('x', 'b'), 'b'))).toBe('SLUICE_SECRET_UNREADABLE')
  })

  it('hashes with its key, and tells equal from different secrets', () => {
    const ring = createKeyRing([master])
    const hash = ring.hash('a key')
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    expect(createKeyRing([randomBytes(32)]).hash('a key')).not.toBe(hash)
    expect(ring.matches('a key', hash)).toBe(true)
    expect(ring.matches('another', hash)).toBe(false)
    expect(ring.matches('a key', hash.slice(2))).toBe(false)
    expect(ring.matches('a key', '')).toBe(false)
  })
})

function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    return isSluiceError(error, 'SLUICE_SECRET_UNREADABLE') ? error.code : String(error)
  }
  return 'nothing was thrown'
}
