/** Broken input, seeded: whatever comes, a decoder returns or throws CloudEventError (reliability.md S3). */
import { expect, it } from 'vitest'
import {
  CloudEventError,
  createEvent,
  dataValue,
  decodeHeaderValue,
  decodeHttpEvents,
  decodeJson,
  decodeJsonBatch,
  encodeHttpBatch,
  encodeHttpBinary,
  encodeHttpStructured,
  encodeJson,
  jsonData,
  type CloudEvent,
} from './index.ts'
import { mutate, seeded } from './testing/mutate.ts'

const inputs = 10_000

const seedEvent = createEvent({
  id: 'A234-1234-1234',
  source: 'https://user@example.com:8080/a?b#c',
  type: 'com.example.someevent',
  subject: 'Euro € 😀 "x" 100%',
  time: '2018-04-05T17:31:00.123Z',
  datacontenttype: 'application/json; charset=utf-8',
  dataschema: 'urn:schema:1',
  extensions: { text: 'value', number: -5, flag: true },
  data: jsonData({ message: 'Hello "World"!', list: [1, 2.5, null, { deep: true }] }),
})

const binary = encodeHttpBinary(seedEvent)
const decoders: [name: string, seed: Uint8Array, decode: (input: Buffer) => readonly CloudEvent[]][] = [
  ['a JSON event', Buffer.from(encodeJson(seedEvent)), input => [decodeJson(input)]],
  ['a JSON event as a string', Buffer.from(encodeJson(seedEvent)), input => [decodeJson(input.toString())]],
  ['a JSON batch', encodeHttpBatch([seedEvent, seedEvent]).body, input => decodeJsonBatch(input)],
  ['an HTTP message in binary mode', headerBlock(binary.headers), input => decodeBinary(input)],
  [
    'an HTTP message in structured mode',
    encodeHttpStructured(seedEvent).body,
    input => decodeHttpEvents({ 'content-type': 'application/cloudevents+json' }, input)?.events ?? [],
  ],
  ['a header value', Buffer.from(binary.headers['ce-subject'] as string), input => [eventOfHeader(input)]],
]

it.each(decoders)('%s, broken in 10,000 ways, is read or refused and nothing else [sec:S3]', (_, seed, decode) => {
  const outcomes = { read: 0, refused: 0 }
  for (let index = 0; index < inputs; index++) {
    const input = mutate(seed, seeded(index))
    try {
      for (const event of decode(input)) useUp(event)
      outcomes.read++
    } catch (error) {
      if (!(error instanceof CloudEventError)) throw new Error(`seed ${index}`, { cause: error })
      // [sec:S19]: one line, bounded, without a stack or a value.
      if (!/^CloudEvent '[\x20-\x7e]{0,43}' [\x20-\x7e]{1,160}$/.test(error.message))
        throw new Error(error.message, { cause: error })
      outcomes.refused++
    }
  }
  // Both must occur, or the inputs say nothing.
  expect(outcomes.read).toBeGreaterThan(inputs / 100)
  expect(outcomes.refused).toBeGreaterThan(inputs / 100)
})

/** An event that came in must go out in every form and come back. */
function useUp(event: CloudEvent): void {
  if (decodeJson(encodeJson(event)).id !== event.id) throw new Error('JSON lost the id')
  try {
    const { headers, body } = encodeHttpBinary(event)
    if (decodeHttpEvents(headers, body)?.events[0]?.id !== event.id) throw new Error('HTTP lost the id')
    dataValue(event)
  } catch (error) {
    if (!(error instanceof CloudEventError)) throw error
    expect(['binary-mode', 'json', 'utf8']).toContain(error.rule)
  }
}

function headerBlock(headers: Readonly<Record<string, string>>): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return Buffer.from(lines.join('\r\n'), 'latin1')
}

/** Headers as an HTTP parser might hand them over, doubled ones included. */
function decodeBinary(block: Buffer): readonly CloudEvent[] {
  const rawHeaders = block
    .toString('latin1')
    .split('\r\n')
    .flatMap(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])
  const headers: Record<string, string> = {}
  for (let at = 0; at < rawHeaders.length; at += 2)
    headers[String(rawHeaders[at]).toLowerCase()] ??= rawHeaders[at + 1] ?? ''
  return decodeHttpEvents(headers, block, { rawHeaders })?.events ?? []
}

function eventOfHeader(value: Buffer): CloudEvent {
  const subject = decodeHeaderValue(value.toString('latin1'), 'subject')
  return createEvent({ id: '1', source: '/s', type: 't', subject }, 'accepted')
}
