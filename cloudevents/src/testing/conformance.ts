/** Reads the shared conformance data, which lies beside the repository and is not part of it. */
import { existsSync, readFileSync } from 'node:fs'
import { SaxesParser } from 'saxes'
import { expect } from 'vitest'
import {
  attributesOf,
  bytesData,
  CloudEventError,
  contentTypeOf,
  createEvent,
  dataBytes,
  isJsonType,
  jsonData,
  protobufData,
  textData,
  type CloudEvent,
  type EventData,
  type EventParts,
} from '../index.ts'

const folder = new URL('../../../../shared/conformance/cloudevents/', import.meta.url)

export const conformanceIsThere = existsSync(folder)
if (!conformanceIsThere) process.stderr.write('skipped: ../shared/conformance/cloudevents is not there\n')

export type CaseData =
  | { json: unknown }
  | { text: string }
  | { base64: string }
  | { xml: string }
  | { xmlRoot: string }
  | { proto: { typeUrl: string; valueBase64: string } }
  | null
export type CaseEvent = {
  attributes: Record<string, string | number | boolean | { binaryBase64: string }>
  data: CaseData
}
/** Fields of all files: which a case has is said by its kind and its file. */
export type Case = {
  name: string
  kind: string
  // Text forms, HTTP, Kafka
  text?: string
  headers?: Record<string, string>
  body?: string
  bodyBase64?: string
  key?: string | null
  value?: string | null
  valueBase64?: string
  // MQTT, AMQP
  protocol?: 4 | 5
  contentType?: string
  userProperties?: Record<string, string>
  applicationProperties?: Record<string, unknown>
  payload?: string
  payloadBase64?: string
  // Protobuf, Avro
  wireBase64?: string
  event?: CaseEvent
  mode?: 'binary' | 'structured'
  absent?: string[]
  expect?: Partial<CaseEvent> & {
    mode?: string
    events?: CaseEvent[]
    invalid?: true
    notACloudEvent?: true
    unsupportedFormat?: true
    unspecified?: true
    headers?: Record<string, string>
    body?: string
    bodyJson?: unknown
    bodyEmpty?: true
    key?: string | null
    value?: string | null
    valueJson?: unknown
    contentType?: string
    userProperties?: Record<string, string>
    applicationProperties?: Record<string, unknown>
    payload?: string
    payloadJson?: unknown
  }
}

export function readConformance(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
}

/** The cases of a file; none when the data is not there. */
export function casesOf(file: string): Case[] {
  return conformanceIsThere ? (readConformance(file) as { cases: Case[] }).cases : []
}

/** Checks that all of a file is read: how many cases there are at least, and of which kinds. */
export function expectCases(cases: readonly Case[], least: number, kinds: readonly string[]): void {
  expect(cases.length).toBeGreaterThanOrEqual(least)
  expect(new Set(cases.map(one => one.kind))).toEqual(new Set(kinds))
}

/** The bytes of a message from its text or its base64; `null` when it says so. */
export function bytesOfCase(text: string | null | undefined, base64: string | undefined): Buffer | null {
  if (base64 !== undefined) return Buffer.from(base64, 'base64')
  return text === null ? null : Buffer.from(text ?? '')
}

/** What a decoder of single messages must do with a case. */
export function expectDecoded(
  expected: NonNullable<Case['expect']>,
  decode: () => { readonly mode?: string; readonly event: CloudEvent } | undefined,
  how: Comparison = {},
): void {
  if (expected.unspecified) return onlyKnownErrors(decode)
  if (expected.invalid) return expect(decode).toThrow(expect.objectContaining({ kind: 'invalid' }))
  if (expected.unsupportedFormat) {
    return expect(decode).toThrow(expect.objectContaining({ kind: expect.stringMatching(/^(unsupported|batch)$/) }))
  }
  const found = decode()
  if (expected.notACloudEvent) return expect(found).toBeUndefined()
  if (expected.mode !== undefined) expect(found?.mode).toBe(expected.mode)
  expectEvent(found?.event, expected as CaseEvent, how)
}

export function onlyKnownErrors(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(CloudEventError)
  }
}

export function eventOfCase({ attributes, data }: CaseEvent): CloudEvent {
  const { id, source, type, specversion, subject, time, datacontenttype, dataschema, ...others } = attributes
  const extensions = Object.fromEntries(
    Object.entries(others).map(([name, value]) => [
      name,
      typeof value === 'object' ? Buffer.from(value.binaryBase64, 'base64') : value,
    ]),
  )
  const parts = { id, source, type, specversion, subject, time, datacontenttype, dataschema, extensions }
  return createEvent({ ...parts, data: dataOfCase(data) } as EventParts, 'accepted')
}

function dataOfCase(data: CaseData): EventData | undefined {
  if (data === null) return undefined
  if ('json' in data) return jsonData(data.json)
  if ('text' in data) return textData(data.text)
  if ('base64' in data) return bytesData(Buffer.from(data.base64, 'base64'))
  if ('proto' in data) return protobufData(data.proto.typeUrl, Buffer.from(data.proto.valueBase64, 'base64'))
  return textData('xml' in data ? data.xml : `<${data.xmlRoot}/>`)
}

/** `asText`: the transport carries attributes as text only. `instants`: it carries timestamps, not their spelling. */
export type Comparison = { readonly asText?: boolean; readonly instants?: boolean }

export function expectEvent(event: CloudEvent | undefined, expected: CaseEvent, how: Comparison = {}): void {
  expect(event).toBeDefined()
  if (event === undefined) return
  const attributes = Object.entries(expected.attributes).map(([name, value]) => [
    name,
    typeof value === 'object' ? value.binaryBase64 : value,
  ])
  expect(comparable(attributesOf(event), how)).toEqual(
    comparable(Object.fromEntries(attributes) as Record<string, unknown>, how),
  )
  const bytes = Buffer.from(dataBytes(event) ?? [])
  const { data } = expected
  if (data === null) expect(bytes).toHaveLength(0)
  else if ('json' in data) expect(JSON.parse(bytes.toString())).toEqual(data.json)
  else if ('text' in data) expect(bytes.toString()).toBe(data.text)
  else if ('base64' in data) expect(bytes.toString('base64')).toBe(data.base64)
  else if ('xml' in data) expect(canonicalXml(bytes.toString())).toBe(canonicalXml(data.xml))
  else if ('xmlRoot' in data)
    expect(canonicalXml(bytes.toString())).toMatch(new RegExp(`^<\\{[^}]*\\}${data.xmlRoot}[> ]`))
  else {
    expect(event.data).toMatchObject({ typeUrl: data.proto.typeUrl })
    expect(bytes.toString('base64')).toBe(data.proto.valueBase64)
  }
}

/** Same attributes and same content, however it is held. */
export function expectSameEvent(actual: CloudEvent | undefined, expected: CloudEvent, how: Comparison = {}): void {
  if (actual === undefined) throw new Error('no event')
  const form = (event: CloudEvent) => ({
    ...comparable(attributesOf(event), how),
    datacontenttype: contentTypeOf(event),
  })
  expect(form(actual)).toEqual(form(expected))
  expect(contentOf(actual)).toEqual(contentOf(expected))
}

/** Blanks around JSON do not survive structured mode, which has blanks of its own there. */
function contentOf(event: CloudEvent): Buffer {
  const bytes = Buffer.from(dataBytes(event) ?? [])
  if (!isJsonType(contentTypeOf(event) ?? '')) return bytes
  return Buffer.from(bytes.toString('latin1').replace(/^[ \n\r\t]+|[ \n\r\t]+$/g, ''), 'latin1')
}

function comparable(attributes: Record<string, unknown>, { asText, instants }: Comparison): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => {
      if (instants && name === 'time') return [name, instantOf(value as string)]
      return [name, asText ? String(value) : value]
    }),
  )
}

/** Seconds in UTC and all digits below, without trailing zeros. */
function instantOf(text: string): string {
  const [, date, fraction = '', zone] = /^(.{19})(?:\.(\d+))?(.*)$/.exec(text) ?? []
  return `${Date.parse(`${date}${zone}`)}.${fraction.replace(/0+$/, '')}`
}

/** Names with their namespaces, no prefixes, no white space between elements, attributes sorted. */
function canonicalXml(text: string): string {
  let out = ''
  const parser = new SaxesParser({ xmlns: true })
  const name = (uri: string, local: string) => `{${uri}}${local}`
  parser.on('opentag', tag => {
    const attributes = Object.values(tag.attributes)
      .filter(attribute => attribute.prefix !== 'xmlns' && attribute.name !== 'xmlns')
      .map(({ uri, local, value }) => ` ${name(uri, local)}=${JSON.stringify(value)}`)
    out += `<${name(tag.uri, tag.local)}${attributes.sort().join('')}>`
  })
  parser.on('closetag', tag => (out += `</${name(tag.uri, tag.local)}>`))
  parser.on('text', piece => (out += /^\s*$/.test(piece) ? '' : piece))
  parser.on('cdata', piece => (out += piece))
  parser.write(text).close()
  return out
}
