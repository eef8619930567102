import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bytesData,
  createEvent,
  dataBytes,
  decodeXml,
  decodeXmlBatch,
  encodeXml,
  encodeXmlBatch,
  textData,
} from '../../index.ts'
import * as arbitrary from '../../testing/arbitrary.ts'
import { expectSameEvent } from '../../testing/conformance.ts'

const xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
const open = `<event xmlns="http://cloudevents.io/xmlformat/V1" ${xsi} specversion="1.0">`
const required = '<id>1</id><source>/s</source><type>t</type>'
const document = (children: string, before = '') => `${before}${open}${required}${children}</event>`

describe('reading', () => {
  it('never expands an entity and refuses every document type', () => {
    const bomb = '<!DOCTYPE event [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>'
    expect(() => decodeXml(document('<subject>&b;</subject>', bomb))).toThrow(
      expect.objectContaining({ rule: 'doctype' }),
    )
    expect(() => decodeXml(document('', '<!DOCTYPE event SYSTEM "file:///etc/passwd">'))).toThrow(/document type/)
    expect(() => decodeXml(document('<subject>&b;</subject>'))).toThrow(expect.objectContaining({ rule: 'xml' }))
    expect(decodeXml(document('<subject>&lt;&#233;&amp;<![CDATA[<&]]></subject>')).subject).toBe('<é&<&')
  })

  it.each<[string, string, object]>([
    ['an element in an attribute', '<subject><b/></subject>', { attribute: 'subject', rule: 'xml' }],
    ['text between elements', 'x', { rule: 'xml' }],
    ['an element of another namespace', '<subject xmlns="urn:x">a</subject>', { attribute: 'subject', rule: 'xml' }],
    ['an unknown type', '<a xsi:type="xs:string">1</a>', { attribute: 'a', rule: 'xml' }],
    ['a boolean that is none', '<a xsi:type="ce:boolean">yes</a>', { attribute: 'a', rule: 'boolean' }],
    ['an integer of 33 bits', '<a xsi:type="ce:integer">2147483648</a>', { attribute: 'a', rule: 'int32' }],
    ['bytes that are no base64', '<a xsi:type="ce:binary">A</a>', { attribute: 'a', rule: 'base64' }],
    ['a URI that is none', '<a xsi:type="ce:uri">/a</a>', { attribute: 'a', rule: 'uri' }],
    ['a timestamp that is none', '<a xsi:type="ce:timestamp">today</a>', { attribute: 'a', rule: 'timestamp' }],
    [
      'a subject that is a number',
      '<subject xsi:type="ce:integer">1</subject>',
      { attribute: 'subject', rule: 'string' },
    ],
    ['a version in an element', '<specversion>1.0</specversion>', { attribute: 'specversion', rule: 'doubled' }],
    ['data without a type', '<data>x</data>', { attribute: 'data', rule: 'xml' }],
    ['data twice', '<data xsi:type="xs:string"/><data xsi:type="xs:string"/>', { attribute: 'data', rule: 'doubled' }],
    ['elements in text data', '<data xsi:type="xs:string"><a/></data>', { attribute: 'data', rule: 'xml' }],
    ['no element in xs:any', '<data xsi:type="xs:any"/>', { attribute: 'data', rule: 'xml' }],
    ['an unbound prefix', '<data xsi:type="xs:any"><p:a/></data>', { attribute: 'body', rule: 'xml' }],
  ])('refuses %s', (_, children, error) => {
    expect(() => decodeXml(document(children))).toThrow(expect.objectContaining({ kind: 'invalid', ...error }))
  })

  it('says where a document is broken', () => {
    expect(() => decodeXml(`${open}\n<id>1</di>`)).toThrow(/'body' must be XML .* broken at line 2, column \d+$/)
  })

  it('takes UTF-8 only', () => {
    expect(() => decodeXml(Buffer.from([0x3c, 0xff]))).toThrow(expect.objectContaining({ rule: 'utf8' }))
    expect(() => decodeXml(document('', '<?xml version="1.0" encoding="ISO-8859-1"?>'))).toThrow(/UTF-8/)
    expect(decodeXml(Buffer.from(`\ufeff${document('')}`)).id).toBe('1')
  })

  it('tells a batch from an event', () => {
    const event = createEvent({ id: '1', source: '/s', type: 't' })
    expect(() => decodeXml(encodeXmlBatch([event]))).toThrow(expect.objectContaining({ kind: 'batch' }))
    expect(() => decodeXmlBatch(encodeXml(event))).toThrow(expect.objectContaining({ rule: 'xml' }))
    expect(decodeXmlBatch(encodeXmlBatch([]))).toEqual([])
    const second = encodeXmlBatch([event, event]).replace(/<ce:id>1<\/ce:id>(?!.*<ce:id>)/, '')
    expect(() => decodeXmlBatch(second)).toThrow(/'id' is required and missing; in event 1 of the batch/)
    expect(() => decodeXmlBatch(encodeXmlBatch([event, event]), { batchEventsMax: 1 })).toThrow(
      expect.objectContaining({ rule: 'count' }),
    )
  })

  it('bounds depth and size', () => {
    const deep = document(`<data xsi:type="xs:any">${'<a>'.repeat(2000)}${'</a>'.repeat(2000)}</data>`)
    expect(() => decodeXml(deep)).toThrow(expect.objectContaining({ rule: 'depth' }))
    expect(() => decodeXml(deep, { bodyBytesMax: 100 })).toThrow(expect.objectContaining({ rule: 'size' }))
  })

  it('cuts elements out as they are spelled, with the namespaces they rely on', () => {
    const cut = (data: string, outside = '') =>
      Buffer.from(
        dataBytes(decodeXml(document(`<data xsi:type="xs:any" ${outside}>${data}</data>`))) as Uint8Array,
      ).toString()
    expect(cut(' <a  xmlns=""\n b = "1"/> ')).toBe('<a  xmlns=""\n b = "1"/>')
    expect(cut('<p:a>\r\n<![CDATA[x]]></p:a>', 'xmlns:p="urn:p?a&amp;b"')).toBe(
      '<p:a xmlns:p="urn:p?a&amp;b">\r\n<![CDATA[x]]></p:a>',
    )
    expect(cut('<a/>')).toBe('<a xmlns="http://cloudevents.io/xmlformat/V1"/>')
    expect(cut('<a xmlns="" xsi:type="p:x"><b p:c="1"/></a>', 'xmlns:p="urn:p"')).toBe(
      '<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:p="urn:p" xmlns="" xsi:type="p:x"><b p:c="1"/></a>',
    )
  })
})

describe('writing', () => {
  const written = (datacontenttype: string, text: string) =>
    encodeXml(createEvent({ id: '1', source: '/s', type: 't', datacontenttype, data: textData(text) }))

  it('puts XML in as elements only where that keeps every character', () => {
    expect(written('application/xml', '<a xmlns="urn:a"/>')).toContain(
      '<ce:data xsi:type="xs:any"><a xmlns="urn:a"/></ce:data>',
    )
    for (const text of ['<a/> ', '<?xml version="1.0"?><a/>', '<a>', '<!-- --><a/>', '<p:a/>', '<a/><b/>']) {
      expect(written('application/xml', text)).toContain('xs:string')
    }
    expect(written('text/plain', '<a/>')).toContain('<ce:data xsi:type="xs:string">&lt;a/&gt;</ce:data>')
    expect(written('text/plain', '\0')).toContain('<ce:data xsi:type="xs:base64Binary">AA==</ce:data>')
  })

  it('gives extensions their types', () => {
    const extensions = {
      a: 1,
      b: true,
      c: Uint8Array.of(1),
      dataref: '/d',
      expirytime: '2018-04-05T17:31:00Z',
      d: '\r',
    }
    const event = createEvent(
      { id: '1', source: '/s', type: 't', extensions, data: bytesData(Uint8Array.of(0)) },
      'accepted',
    )
    const text = encodeXml(event)
    for (const type of ['integer', 'boolean', 'binary', 'uriRef', 'timestamp', 'string'])
      expect(text).toContain(`"ce:${type}"`)
    expectSameEvent(decodeXml(text), event)
  })
})

it('an event through XML is the same event', () => {
  fc.assert(
    fc.property(arbitrary.event, event => {
      expectSameEvent(decodeXml(encodeXml(event)), event)
      expectSameEvent(decodeXmlBatch(Buffer.from(encodeXmlBatch([event, event])))[1], event)
    }),
  )
})
