/** The example of the README, which quotes the part between the two marks. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { createEvent, dataValue, decodeHttp, encodeHttpBinary, jsonData } from './index.ts'

it('sends an event in HTTP headers and reads it again', () => {
  // quoted: begin
  const event = createEvent({
    id: 'A234-1234-1234',
    source: '/sensors/tn-1234567/alerts',
    type: 'com.example.temperature',
    subject: 'Zürich 3',
    data: jsonData({ celsius: 21.5 }),
  })

  const { headers, body } = encodeHttpBinary(event)
  expect(headers['ce-subject']).toBe('Z%C3%BCrich%203')

  const received = decodeHttp(headers, body)
  expect(received?.subject).toBe('Zürich 3')
  expect(received && dataValue(received)).toEqual({ celsius: 21.5 })
  // quoted: end
})

it('stands in the README as it stands here', () => {
  const [source, readme] = ['./readme.test.ts', '../README.md'].map(file =>
    readFileSync(new URL(file, import.meta.url), 'utf8'),
  )
  const quoted = /\/\/ quoted: begin\n(.*?) *\/\/ quoted: end/s.exec(source as string)?.[1] ?? 'nothing'
  expect(readme).toContain(quoted.replace(/^ {2}/gm, ''))
})
