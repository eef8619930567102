/** Reads the shared conformance data, which lies beside the repository and is not part of it. */
import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { bytesData, jsonData, textData, type EventData } from '../index.ts'
import {
  attributesOf,
  contentTypeOf,
  createEvent,
  dataBytes,
  isJsonType,
  type CloudEvent,
  type EventParts,
} from '../index.ts'

const folder = new URL('../../../../shared/conformance/cloudevents/', import.meta.url)

export const conformanceIsThere = existsSync(folder)
if (!conformanceIsThere) process.stderr.write('skipped: ../shared/conformance/cloudevents is not there\n')

export type CaseData = { json: unknown } | { text: string } | { base64: string } | null
export type CaseEvent = { attributes: Record<string, string | number | boolean>; data: CaseData }
export type Case = {
  name: string
  kind: string
  headers?: Record<string, string>
  body?: string
  bodyBase64?: string
  text?: string
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
  }
}

export function readConformance(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
}

/** The cases of a file; none when the data is not there. */
export function casesOf(file: string): Case[] {
  return conformanceIsThere ? (readConformance(file) as { cases: Case[] }).cases : []
}

export function eventOfCase({ attributes, data }: CaseEvent): CloudEvent {
  const { id, source, type, specversion, subject, time, datacontenttype, dataschema, ...extensions } = attributes
  const parts = { id, source, type, specversion, subject, time, datacontenttype, dataschema, extensions }
  return createEvent({ ...parts, data: dataOfCase(data) } as EventParts, 'accepted')
}

function dataOfCase(data: CaseData): EventData | undefined {
  if (data === null) return undefined
  if ('json' in data) return jsonData(data.json)
  return 'text' in data ? textData(data.text) : bytesData(Buffer.from(data.base64, 'base64'))
}

/** `asText`: the transport carries attributes as text only. */
export function expectEvent(event: CloudEvent | undefined, expected: CaseEvent, asText: boolean): void {
  expect(event).toBeDefined()
  if (event === undefined) return
  const form = asText ? textual : (attributes: object) => ({ ...attributes })
  expect(form(attributesOf(event))).toEqual(form(expected.attributes))
  const bytes = Buffer.from(dataBytes(event) ?? [])
  const { data } = expected
  if (data === null) expect(bytes).toHaveLength(0)
  else if ('json' in data) expect(JSON.parse(bytes.toString())).toEqual(data.json)
  else if ('text' in data) expect(bytes.toString()).toBe(data.text)
  else expect(bytes.toString('base64')).toBe(data.base64)
}

/** Same attributes and same content, however it is held. */
export function expectSameEvent(actual: CloudEvent | undefined, expected: CloudEvent, asText = false): void {
  if (actual === undefined) throw new Error('no event')
  const form = (event: CloudEvent) => ({
    ...(asText ? textual(attributesOf(event)) : attributesOf(event)),
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

function textual(attributes: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)]))
}
