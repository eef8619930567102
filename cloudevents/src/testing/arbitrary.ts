/** Arbitrary legal events for property tests. */
import fc from 'fast-check'
import { bytesData, createEvent, jsonData, jsonTextData, textData, type CloudEvent } from '../index.ts'
import { textFault } from '../text.ts'

/** Strings as CloudEvents allows them, with blanks, quotes, percent signs and all planes of Unicode. */
export const string = fc
  .oneof(fc.string({ unit: 'binary', maxLength: 24 }), fc.string({ unit: fc.constantFrom(...'aZ ~!"%\\€é😀\u00a0') }))
  .filter(text => textFault(text) === undefined)

const nonEmpty = string.filter(text => text !== '')

const source = fc.oneof(
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.constantFrom(
    '/sensors/tn-1234567/alerts',
    'urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66',
    '1-555-123-4567',
    '//h',
  ),
)

const time = fc
  .tuple(
    fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }),
    fc.constantFrom('.000Z', '.12345678Z', '.123456789+05:45', 'Z', '-12:00'),
  )
  .map(([date, rest]) => date.toISOString().slice(0, 19) + rest)

const extensions = fc.dictionary(
  fc
    .stringMatching(/^[a-z0-9]{1,20}$/)
    .filter(name => !/^(specversion|id|source|type|subject|time|datacontenttype|dataschema|data)$/.test(name)),
  fc.oneof(string, fc.integer(), fc.boolean(), fc.uint8Array({ maxLength: 8 })),
  { maxKeys: 4 },
)

const jsonType = fc.constantFrom(
  undefined,
  'application/json',
  'application/json; charset=utf-8',
  'text/json',
  'a/b+json',
)
const otherType = fc.constantFrom('text/plain', 'application/xml', 'application/octet-stream', 'image/png; x="a;b"')

const xmlType = fc.constantFrom('application/xml', 'text/xml; charset=utf-8', 'a/b+xml')
const xml = fc.constantFrom(
  '<a/>',
  '<a xmlns="urn:a">é<b c="1"/></a>',
  '<p:a xmlns:p="urn:p"><b p:c="&amp;"/><!-- c --><![CDATA[<]]></p:a>',
  '<a>\r\n</a>',
  '<?xml version="1.0"?><a/>',
  '<a/> ',
  '<!DOCTYPE a><a/>',
  '<a><b></a>',
  ']]>',
)

const payload = fc.oneof(
  fc.record({ datacontenttype: jsonType, data: fc.jsonValue().map(jsonData) }),
  fc.record({ datacontenttype: jsonType, data: fc.json().map(text => jsonTextData(` ${text}\n`)) }),
  fc.record({ datacontenttype: xmlType, data: xml.map(textData) }),
  fc.record({ datacontenttype: fc.option(otherType, { nil: undefined }), data: text().map(textData) }),
  fc.record({
    datacontenttype: fc.oneof(jsonType, otherType),
    data: fc.uint8Array({ minLength: 1, maxLength: 64 }).map(bytesData),
  }),
  fc.record({ datacontenttype: fc.oneof(jsonType, otherType), data: fc.constant(undefined) }),
)

/** Not empty: binary mode cannot tell empty data from none. */
function text(): fc.Arbitrary<string> {
  return fc.string({ unit: 'binary', minLength: 1 })
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

export const event: fc.Arbitrary<CloudEvent> = fc
  .tuple(
    fc.record({
      id: nonEmpty,
      source,
      type: nonEmpty,
      subject: optional(nonEmpty),
      time: optional(time),
      dataschema: optional(fc.webUrl()),
      extensions,
    }),
    payload,
  )
  .map(([attributes, content]) => createEvent({ ...attributes, ...content }))
