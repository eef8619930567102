import { expect, it } from 'vitest'
import { isJsonType, isTextType, parseMediaType } from './media-type.ts'

it.each([
  ['application/json', 'application/json', undefined],
  ['Application/JSON; charset=UTF-8', 'application/json', 'utf-8'],
  ['text/plain;charset="utf-8"', 'text/plain', 'utf-8'],
  ['text/plain ; a=b ;; charset=latin1 ; charset=utf-8;', 'text/plain', 'latin1'],
  ['multipart/form-data; boundary="a; b=\\"c\\""', 'multipart/form-data', undefined],
  ['application/vnd.apache.thrift.binary', 'application/vnd.apache.thrift.binary', undefined],
])('reads %s', (text, essence, charset) => {
  expect(parseMediaType(text)).toEqual({ essence, charset })
})

it.each(['json', 'a/', '/a', 'a/b/c', 'a b/c', 'a/b; c', 'a/b; c=', 'a/b; c="d', 'a/b; c="\n"', 'a/b, c/d', 'ä/b', ''])(
  'refuses %s',
  text => {
    expect(parseMediaType(text)).toBeUndefined()
  },
)

it('knows JSON by its subtype or suffix', () => {
  const types = ['application/json', 'text/JSON', 'application/ld+json; charset=utf-8', 'application/cloudevents+json']
  expect(types.filter(isJsonType)).toEqual(types)
  expect(['application/jsonx', 'application/json-seq', 'text/plain', 'x', 'a/json+xml'].filter(isJsonType)).toEqual([])
})

it('knows text, unless it is in another charset than UTF-8', () => {
  const types = ['text/plain', 'text/csv; charset=us-ascii', 'application/xml', 'image/svg+xml']
  expect(types.filter(isTextType)).toEqual(types)
  expect(['text/plain; charset=utf-16', 'application/octet-stream', 'image/png'].filter(isTextType)).toEqual([])
})
