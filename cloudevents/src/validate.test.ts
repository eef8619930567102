import { describe, expect, it } from 'vitest'
import {
  bytesData,
  CloudEventError,
  createEvent,
  jsonData,
  textData,
  validate,
  type EventParts,
  type Strictness,
} from './index.ts'

const good: EventParts = { id: '1', source: '/s', type: 't' }

/** The attribute and the rule that parts break, or nothing. */
function broken(parts: object, strictness?: Strictness): string | undefined {
  try {
    validate({ ...good, ...parts }, strictness)
    return undefined
  } catch (error) {
    if (!(error instanceof CloudEventError)) throw error
    return `${error.attribute} ${error.rule}`
  }
}

describe('a rule that is broken is named with its attribute', () => {
  it.each([
    [{ id: undefined }, 'id required'],
    [{ id: null }, 'id required'],
    [{ id: '' }, 'id empty'],
    [{ id: 7 }, 'id string'],
    [{ id: 'a\u0000' }, 'id control'],
    [{ id: 'a\u0085' }, 'id control'],
    [{ id: '\ud83d' }, 'id surrogate'],
    [{ id: '\ude00\ud83d' }, 'id surrogate'],
    [{ id: '\uffff' }, 'id noncharacter'],
    [{ id: '\ufdd0' }, 'id noncharacter'],
    [{ id: '\u{1fffe}' }, 'id noncharacter'],
    [{ specversion: '0.3' }, 'specversion version'],
    [{ specversion: 1 }, 'specversion string'],
    [{ source: 'a b' }, 'source uri-reference'],
    [{ type: undefined }, 'type required'],
    [{ subject: '' }, 'subject empty'],
    [{ time: '2018-04-05' }, 'time timestamp'],
    [{ dataschema: '/relative' }, 'dataschema uri'],
    [{ datacontenttype: 'json' }, 'datacontenttype media-type'],
    [{ extensions: { myExt: 'x' } }, 'myExt name'],
    [{ extensions: { '': 'x' } }, ' name'],
    [{ extensions: { data: 'x' } }, 'data reserved'],
    [{ extensions: { id: 'x' } }, 'id reserved'],
    [{ extensions: { a: 0.5 } }, 'a int32'],
    [{ extensions: { a: 2 ** 31 } }, 'a int32'],
    [{ extensions: { a: NaN } }, 'a int32'],
    [{ extensions: { a: null } }, 'a extension-type'],
    [{ extensions: { a: {} } }, 'a extension-type'],
    [{ data: jsonData(undefined) }, 'data json'],
    [{ data: textData('\ud800') }, 'data surrogate'],
    [{ data: bytesData('x' as never) }, 'data data-kind'],
    [{ data: jsonData({}), datacontenttype: 'text/plain' }, 'data data-kind'],
  ])('%j: %s', (parts, expected) => {
    expect(broken(parts)).toBe(expected)
  })
})

it('takes every legal kind of value', () => {
  expect(
    broken({ id: '\u{10fffd}😀 é', extensions: { a: '', b: -(2 ** 31), c: false, constructor: 'x' } }),
  ).toBeUndefined()
  expect(broken({ extensions: { left: undefined } })).toBeUndefined()
})

it('takes no BigInt, of any size', () => {
  expect(broken({ extensions: { a: 1n } })).toBe('a extension-type')
})

it('lets others have long names and line breaks in extensions, and nobody else', () => {
  const long = { extensions: { a23456789012345678901: 'x' } }
  expect(broken(long)).toBe('a23456789012345678901 name-length')
  expect(broken(long, 'accepted')).toBeUndefined()
  expect(broken({ extensions: { a: 'x\n' } })).toBe('a control')
  expect(broken({ extensions: { a: 'x\n' } }, 'accepted')).toBeUndefined()
  expect(broken({ extensions: { a: 'x\0' } }, 'accepted')).toBe('a control')
  expect(broken({ subject: 'x\n' }, 'accepted')).toBe('subject control')
})

it('lets others name a schema by its Protobuf type URL, and nobody else', () => {
  const schema = { dataschema: 'type.googleapis.com/io.cloudevents.test.SomeData' }
  expect(broken(schema)).toBe('dataschema uri')
  expect(broken(schema, 'accepted')).toBeUndefined()
  for (const dataschema of ['/a.B', 'schema.json', 'a b.c/d.E', 'host/a.B'])
    expect(broken({ dataschema }, 'accepted')).toBe('dataschema uri')
})

it('says in one line what is wrong and never quotes a value', () => {
  expect(() => createEvent({ ...good, source: 'se cret' })).toThrow(
    /^CloudEvent 'source' must be a URI reference \(RFC 3986\)$/,
  )
  const error = new CloudEventError(`x\n${'é'.repeat(99)}`, 'name')
  expect(error.message).toMatch(/^CloudEvent 'x\?{39}\.\.\.' is not a legal attribute name/)
})
