/** Events of the official SDK arrive here, and ours arrive there. */
import { CloudEvent as SdkEvent, HTTP } from 'cloudevents'
import { expect, it } from 'vitest'
import {
  attributesOf,
  createEvent,
  dataValue,
  decodeHttp,
  encodeHttpBinary,
  encodeHttpStructured,
  jsonData,
} from './index.ts'

const attributes = {
  id: '1',
  source: '/s',
  type: 't',
  subject: 'a',
  time: '2018-04-05T17:31:00.000Z',
  datacontenttype: 'application/json',
}
const data = { message: 'Hello', list: [1, 2] }

it.each([
  ['binary', HTTP.binary],
  ['structured', HTTP.structured],
])('reads what the SDK sends in %s mode', (_, send) => {
  const { headers, body } = send(new SdkEvent({ ...attributes, comexample: 'x', data }))
  const event = decodeHttp(headers, Buffer.from(body as string))
  expect(event && { ...attributesOf(event) }).toEqual({ specversion: '1.0', ...attributes, comexample: 'x' })
  expect(event && dataValue(event)).toEqual(data)
})

it.each([
  ['binary', encodeHttpBinary],
  ['structured', encodeHttpStructured],
])('sends in %s mode what the SDK reads', (_, send) => {
  const event = createEvent({ ...attributes, extensions: { comexample: 'x' }, data: jsonData(data) })
  const { headers, body } = send(event)
  const read = HTTP.toEvent({ headers: { ...headers }, body: Buffer.from(body).toString() }) as SdkEvent<unknown>
  expect(read.validate()).toBe(true)
  expect(read.toJSON()).toMatchObject({ specversion: '1.0', ...attributes, comexample: 'x', data })
})
