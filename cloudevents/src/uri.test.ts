import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isUri, isUriReference } from './uri.ts'

it.each([
  'https://github.com/cloudevents',
  'mailto:cncf-wg-serverless@lists.cncf.io',
  'urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66',
  'http://user:p%40ss@[2001:db8::7]:8080/a/b?c=d#e',
  'http://[v1.fe:d]/',
  'kafka+ssl://broker:/topic',
  'a:',
])('takes %s as a URI', text => {
  expect(isUri(text)).toBe(true)
  expect(isUriReference(text)).toBe(true)
})

it.each(['cloudevents/spec/pull/123', '/sensors/tn-1234567/alerts', '1-555-123-4567', '//host/p', '?q', '#f', './a:b'])(
  'takes %s as a reference only',
  text => {
    expect(isUri(text)).toBe(false)
    expect(isUriReference(text)).toBe(true)
  },
)

it.each([
  'a b',
  'a%2',
  'a%zz',
  '1a:b',
  ':a',
  'a\\b',
  '<a>',
  'a[b]',
  'é',
  '#a#b',
  '//a@b@c/',
  '//[::1',
  '//[::1]x',
  '//[fe80::1%25eth0]/',
  '//a:b:c/',
  '//a:80x/',
  'a"b',
  'a{b}',
  'a\nb',
])('refuses %s', text => {
  expect(isUri(text)).toBe(false)
  expect(isUriReference(text)).toBe(false)
})

it('takes what the grammar of RFC 3986, written as one expression, takes', () => {
  const nc = "(?:[\\w.~!$&'()*+,;=@-]|%[0-9a-f]{2})"
  const p = `(?:${nc}|:)`
  const authority = "(?:(?:[\\w.~!$&'()*+,;=:-]|%[0-9a-f]{2})*@)?(?:[\\w.~!$&'()*+,;=-]|%[0-9a-f]{2})*(?::[0-9]*)?"
  const rooted = `//${authority}(?:/${p}*)*|/(?:${p}+(?:/${p}*)*)?`
  const hierarchy = `(?:[a-z][a-z0-9+.-]*:(?:${rooted}|${p}+(?:/${p}*)*|)|${rooted}|${nc}+(?:/${p}*)*|)`
  const grammar = new RegExp(`^${hierarchy}(?:\\?(?:${p}|[/?])*)?(?:#(?:${p}|[/?])*)?$`, 'i')
  const character = fc.constantFrom(...'aZ9:/?#@!$&()*+,;=-._~%20%C3é "\\<>^`{|}')
  const likely = fc.constantFrom(...'aZ9:/?#@.-', '%20')
  fc.assert(
    fc.property(fc.oneof(...[character, likely].map(unit => fc.string({ unit, maxLength: 12 }))), text => {
      expect(isUriReference(text), text).toBe(grammar.test(text))
    }),
    { numRuns: 5000 },
  )
})

it('takes megabytes in its stride', () => {
  expect(isUriReference(`//${'a'.repeat(5_000_000)}/`)).toBe(true)
  expect(isUriReference(`//${'a@'.repeat(2_000_000)}/`)).toBe(false)
})
