import { describe, expect, it } from 'vitest'
import { seal, unseal } from './envelope.ts'

const text = seal('state!key', '{"größe":1.0,"list":[1,2]}', 17, 4)

describe('envelope', () => {
  it('is an ordinary JSON document', () => {
    expect(JSON.parse(text)).toEqual({
      sequence: 17,
      epoch: 4,
      crc32: expect.any(Number),
      body: { größe: 1, list: [1, 2] },
    })
  })

  it('gives back the text of the body as it was', () => {
    expect(unseal('state!key', text)).toEqual({ sequence: 17, epoch: 4, body: '{"größe":1.0,"list":[1,2]}' })
  })

  it('finds any changed byte [rel:R5]', () => {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [1, 4, 128]) {
        const damaged = Buffer.from(bytes)
        damaged[at]! ^= bit
        expect(() => unseal('state!key', damaged.toString()), `byte ${at}, bit ${bit}`).toThrow(/'state!key'/)
      }
    }
  })

  it('finds a text that was cut off or goes on too long [rel:R5]', () => {
    for (let length = 0; length < text.length; length++)
      expect(() => unseal('state!key', text.slice(0, length))).toThrow()
    expect(() => unseal('state!key', `${text}}`)).toThrow()
  })

  it('finds a text that lies under another key [rel:R5]', () => {
    expect(() => unseal('state!other', text)).toThrow(expect.objectContaining({ code: 'SLUICE_STORE_CORRUPT' }))
  })
})
