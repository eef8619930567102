import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEvent, decodeAvro, encodeAvro, jsonTextData, textData } from '../../index.ts'
import * as arbitrary from '../../testing/arbitrary.ts'
import { expectSameEvent } from '../../testing/conformance.ts'

const attributes = { id: '1', source: '/s', type: 't' }

/** The map of attributes with these entries (name, branch and value) and then the data. */
const message = (entries: Uint8Array[], data: number[]) =>
  Buffer.concat([Uint8Array.of(entries.length * 2), ...entries, Uint8Array.of(0, ...data)])
const string = (text: string) => Buffer.concat([Uint8Array.of(Buffer.byteLength(text) * 2), Buffer.from(text)])
const entry = (name: string, value: string) => Buffer.concat([string(name), Uint8Array.of(6), string(value)])
const required = [entry('specversion', '1.0'), entry('id', '1'), entry('source', '/s'), entry('type', 't')]

describe('reading', () => {
  it.each<[string, Uint8Array, object]>([
    ['bytes after the event', message(required, [2, 0]), { rule: 'avro' }],
    ['an unknown branch of data', message(required, [14]), { rule: 'avro' }],
    ['a boolean that is 2', message(required, [4, 2]), { rule: 'avro' }],
    ['a length beyond the end', message(required, [0, 200, 1]), { rule: 'avro' }],
    ['a negative length', message(required, [0, 1]), { rule: 'avro' }],
    ['a length of eleven bytes', message(required, [0, ...new Array<number>(10).fill(255), 1]), { rule: 'avro' }],
    ['millions of items in a few bytes', message(required, [8, 128, 137, 122, 0, 0]), { rule: 'avro' }],
    ['an attribute twice', message([...required, entry('id', '2')], [2]), { attribute: 'id', rule: 'doubled' }],
    ['bad UTF-8', message([...required, Buffer.from([2, 0x61, 6, 2, 0xff])], [2]), { rule: 'utf8' }],
    ['not a number', message(required, [10, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f]), { attribute: 'data', rule: 'json' }],
    ['a capital in a name', message([...required, entry('aB', 'x')], [2]), { attribute: 'aB', rule: 'name' }],
  ])('refuses %s', (_, wire, error) => {
    expect(() => decodeAvro(wire)).toThrow(expect.objectContaining({ kind: 'invalid', ...error }))
  })

  it('says where it is broken', () => {
    expect(() => decodeAvro(message(required, [14]))).toThrow(/at byte 45$/)
  })

  it('bounds depth and size', () => {
    // Arrays of records whose only member is an array of one record, 2,000 times.
    const level = [2, 2, 2, 0x61, 6]
    const deep = message(required, [8, ...Array.from({ length: 2000 }, () => level).flat(), 0])
    expect(() => decodeAvro(deep)).toThrow(expect.objectContaining({ rule: 'depth' }))
    expect(() => decodeAvro(deep, { bodyBytesMax: 100 })).toThrow(expect.objectContaining({ kind: 'too-large' }))
  })

  it('keeps a key that would be a prototype', () => {
    const wire = message(required, [6, 2, 18, ...Buffer.from('__proto__'), 8, 2, 0x78, 0])
    expect(decodeAvro(wire).data).toMatchObject({ text: '{"__proto__":"x"}' })
  })
})

describe('writing', () => {
  it('keeps every digit', () => {
    const exact = '{"n":12345678901234567890,"f":1.0}'
    const event = decodeAvro(encodeAvro(createEvent({ ...attributes, data: jsonTextData(exact) })))
    expect(event.datacontenttype).toBe('application/json')
    expect(Buffer.from((event.data as { bytes: Uint8Array }).bytes).toString()).toBe(exact)
  })

  it('grows beyond what it guessed', () => {
    const event = createEvent({
      ...attributes,
      subject: 'é'.repeat(5000),
      datacontenttype: 'text/plain',
      data: textData('x'),
    })
    expectSameEvent(decodeAvro(encodeAvro(event)), event)
  })
})

it('an event through Avro is the same event', () => {
  fc.assert(fc.property(arbitrary.event, event => expectSameEvent(decodeAvro(encodeAvro(event)), event)))
})
