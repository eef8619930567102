/** Requests that nobody sends by mistake, made from a seed: the same seed gives the same requests. */
export type HostileRequest = {
  readonly title: string
  /** What goes over the wire, `HOST` and `AUTH` still to be put in. */
  readonly head: string
  readonly body: Buffer
  /** The connection is closed after this many bytes of the body, before the request is complete. */
  readonly cutAt?: number
}

const namespace = '/api/v1/namespaces/_'
const routes: readonly (readonly [method: string, path: string])[] = [
  ['PUT', '/actions/hostile?overwrite=true'],
  ['PUT', '/packages/hostile-package?overwrite=true'],
  ['PUT', '/triggers/hostile-trigger?overwrite=true'],
  ['PUT', '/rules/hostile-rule?overwrite=true'],
  ['POST', '/actions/echo'],
  ['POST', '/actions/echo?blocking=true'],
  ['POST', '/triggers/events'],
  ['POST', '/rules/on-events'],
  ['POST', '/activations/settlements'],
]

export function hostileRequest(random: () => number): HostileRequest {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const [method, path] = pick(routes)
  const target = namespace + path
  const request = (
    title: string,
    more: { head?: string; body?: string | Buffer; target?: string; cutAt?: number; length?: string } = {},
  ): HostileRequest => {
    const body = Buffer.from(more.body ?? '{}')
    const at = more.target ?? target
    const type = more.head?.toLowerCase().includes('content-type') === true ? '' : 'Content-Type: application/json\r\n'
    const length = more.length ?? `Content-Length: ${body.length}\r\n`
    const line = `${method} ${at} HTTP/1.1\r\nHost: HOST\r\nAuthorization: AUTH\r\nConnection: close\r\n`
    const head = `${line}${type}${more.head ?? ''}${length}\r\n`
    return {
      title: `${title}: ${method} ${at.slice(0, 120)}`,
      head,
      body,
      ...(more.cutAt === undefined ? {} : { cutAt: more.cutAt }),
    }
  }
  const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))

  const families: readonly (() => HostileRequest)[] = [
    () => request('bytes', { body: bytes(Math.floor(random() * 2000)) }),
    () =>
      request('no JSON', {
        body: pick(['{', '}', '{"a":', '[1,', '"', 'nul', '{"a":1}}', '\u0000', "{'a':1}", '{"a":01}', '﻿{}', 'NaN']),
      }),
    () => request('no object', { body: pick(['null', '1', '"x"', '[]', '[[]]', 'true', '-0', '1e999']) }),
    () => request('deep', { body: pick(['[', '{"a":', '[{"a":']).repeat(pick([129, 5000, 200_000])) }),
    () => request('ten million brackets', { body: Buffer.alloc(10 * 1024 * 1024, '[') }),
    () => request('many keys', { body: `{${Array.from({ length: 120_000 }, (_, n) => `"k${n}":0`).join()}}` }),
    () => request('key twice', { body: '{"a":1,"a":2,"parameters":[],"parameters":{}}' }),
    () => request('prototype', { body: prototypeBody(pick) }),
    () => request('wrong types', { body: JSON.stringify(wrongTypes(pick)) }),
    () =>
      request('surrogates', {
        body: `{"a":"\\ud800","b":"\\udfff\\ud800","\\ud800":1,"c":"${'\u0000\u001b[31m'.replaceAll('\u0000', '\\u0000').replaceAll('\u001b', '\\u001b')}"}`,
      }),
    () =>
      request('numbers', {
        body: `{"a":${pick(['1e400', '-1e400', '1e-400', '9'.repeat(5000), `0.${'0'.repeat(5000)}1`])}}`,
      }),
    () =>
      request('long name', {
        target: target.replace(/(hostile|echo|events|on-events)/, 'n'.repeat(pick([257, 1000, 7000]))),
      }),
    () =>
      request('odd name', {
        target: target.replace(
          /(hostile|echo|events)/,
          pick([
            '%00',
            '%',
            '%zz',
            '%2e%2e%2f',
            '..',
            '%2F',
            '%F0%9F',
            '%20',
            'a%0d%0ab',
            '__proto__',
            'constructor',
            '%ff%fe',
            '*',
            '_',
            'default',
          ]),
        ),
      }),
    () =>
      request('odd namespace', {
        target: target.replace(
          '/_/',
          pick(['/__proto__/', '/%2e%2e/', '//', '/ /', '/constructor/', '/whisk.system/', `/${'n'.repeat(300)}/`]),
        ),
      }),
    () =>
      request('odd query', {
        target: `${target.split('?')[0]}?${pick(['blocking=%', 'blocking=maybe', 'timeout=1e3', 'timeout=-1', 'overwrite', '&&&=&', '__proto__[x]=1', 'a[__proto__]=1', 'limit=99999999999999999999', `x=${'y'.repeat(7000)}`, 'blocking=true&blocking=false', '%00=%00'])}`,
      }),
    () =>
      request('long target', {
        target: `${target}${target.includes('?') ? '&' : '?'}x=${'y'.repeat(pick([8193, 15_000]))}`,
      }),
    () => request('cut', { body: '{"a":"'.padEnd(5000, 'x'), cutAt: Math.floor(random() * 4000) }),
    () =>
      request('unfinished chunks', {
        length: 'Transfer-Encoding: chunked\r\n',
        body: pick(['2\r\n{}', 'ffffffffffffffff\r\n{', '5\r\n']),
        cutAt: 100,
      }),
    () => request('two lengths', { length: 'Content-Length: 2\r\nContent-Length: 4\r\n' }),
    () => request('length and chunks', { length: 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n' }),
    () =>
      request('odd length', {
        length: `Content-Length: ${pick(['-1', '1e2', '0x10', '99999999999999999999', 'two', ''])}\r\n`,
      }),
    () =>
      request('odd chunks', {
        length: 'Transfer-Encoding: chunked\r\n',
        body: pick(['zz\r\n{}\r\n0\r\n\r\n', '2;x=y\r\n{}\r\n0\r\nevil: trailer\r\n\r\n']),
      }),
    () =>
      request('headers twice', {
        head: 'Authorization: Basic eDp5\r\nContent-Type: text/plain\r\nContent-Type: application/json\r\nX-Request-ID: a\r\nX-Request-ID: b\r\n',
      }),
    () =>
      request('odd headers', {
        head: pick([
          'X-Request-ID: \u0001\r\n',
          `X-Request-ID: ${'x'.repeat(5000)}\r\n`,
          'X-Request-ID: sid_x\r\n',
          '__proto__: x\r\n',
          'Idempotency-Key: \u00ff\u00fe\r\n',
          'Accept: ;;q=,,\r\n',
          'Expect: 200-maybe\r\n',
          ': nameless\r\n',
          'no colon\r\n',
          ' folded: x\r\n',
        ]),
      }),
    () => request('large headers', { head: `X-Large: ${'x'.repeat(20_000)}\r\n` }),
    () =>
      request('odd type', {
        head: `Content-Type: ${pick(['', ';', 'application/json; charset=utf-16', 'application/json;charset="', 'multipart/form-data', 'application/cloudevents-batch+json', 'application/cloudevents+xml', '*/*'])}\r\n`,
      }),
    () => request('broken event', { target: `${namespace}/triggers/events`, head: brokenEvent(pick) }),
    () =>
      request('broken structured event', {
        target: `${namespace}/triggers/events`,
        head: 'Content-Type: application/cloudevents+json\r\n',
        body: pick([
          '{}',
          '[]',
          '{"specversion":"1.0"}',
          '{"specversion":1.0,"id":"a","source":"/","type":"t"}',
          '{"specversion":"1.0","id":"a","source":"/","type":"t","data_base64":"*"}',
          '{"specversion":"1.0","id":"a","source":"/","type":"t","data":1,"data_base64":"AA=="}',
          '{"specversion":"1.0","id":"a","source":"/","type":"t","__proto__":"x"}',
          '{"specversion":"1.0","id":"a","source":"\\u0000","type":"t","BAD":1}',
        ]),
      }),
    () => request('broken credentials', { head: '' }),
    () => feedCall(random, pick),
  ]
  const made = pick(families)()
  if (!made.title.startsWith('broken credentials')) return made
  const credentials = pick([
    '',
    'Basic',
    'Basic *',
    `Basic ${Buffer.from('a:b:c').toString('base64')}`,
    'Bearer x',
    `Basic ${'A'.repeat(10_000)}`,
    'Basic Og==',
    'AUTH, AUTH',
    'Basic \u00ff',
  ])
  return { ...made, head: made.head.replace('Authorization: AUTH', `Authorization: ${credentials}`) }
}

function prototypeBody(pick: <T>(list: readonly T[]) => T): string {
  const evil = pick(['{"polluted":true}', '{"toString":null}', '[1]', 'null', '"x"'])
  const key = pick(['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toJSON', 'then', 'valueOf'])
  return pick([
    `{"${key}":${evil}}`,
    `{"exec":{"kind":"nodejs:default","code":"const main = a => a","${key}":${evil}},"${key}":${evil}}`,
    `{"parameters":[{"key":"${key}","value":${evil}},{"${key}":${evil},"key":"a","value":1}]}`,
    `{"annotations":[{"key":"${key}","value":${evil}}],"limits":{"${key}":${evil}}}`,
    `{"constructor":{"prototype":${evil}},"a":{"${key}":{"${key}":${evil}}}}`,
    `{"binding":{"${key}":${evil},"namespace":"_","name":"${key}"}}`,
    `{"status":"active","${key}":${evil},"ids":["${key}"]}`,
  ])
}

function wrongTypes(pick: <T>(list: readonly T[]) => T): object {
  const odd = pick<unknown>([
    null,
    0,
    -1,
    1.5,
    '',
    'x',
    true,
    [],
    {},
    [[]],
    [null],
    { a: 1 },
    'x'.repeat(10_000),
    1e300,
  ])
  const field = pick([
    'exec',
    'parameters',
    'annotations',
    'limits',
    'publish',
    'version',
    'trigger',
    'action',
    'binding',
    'status',
    'delAnnotations',
    'ids',
    'code',
    'kind',
    'image',
    'main',
    'components',
    'key',
  ])
  return {
    exec: { kind: 'nodejs:default', code: 'x', [field]: odd },
    limits: { timeout: 1000, [field]: odd },
    parameters: [{ key: 'k', value: 1, [field]: odd }],
    [field]: odd,
  }
}

function brokenEvent(pick: <T>(list: readonly T[]) => T): string {
  const good = ['ce-specversion: 1.0', 'ce-id: a', 'ce-source: /hostile', 'ce-type: t']
  const bad = pick([
    'ce-specversion: 2.0',
    'ce-id:',
    'ce-source: http://[',
    'ce-time: 2026-13-01T00:00:00Z',
    'ce-time: now',
    'ce-datacontenttype: x',
    'ce-UPPER: x',
    'ce-a_b: x',
    'ce-x: %C3%28',
    'ce-x: %',
    'ce-__proto__: x',
    `ce-x: ${'y'.repeat(9000)}`,
    'ce-dataschema: relative',
    'ce-data: x',
    'sluice-input: everything',
    'ce-source: \u00ff',
  ])
  const kept = good.filter(line => !line.startsWith(bad.split(':')[0] ?? ''))
  return [...kept, bad, ''].join('\r\n')
}

/** A feed action of the system package with parameters that are none. */
function feedCall(random: () => number, pick: <T>(list: readonly T[]) => T): HostileRequest {
  const odd = pick<unknown>([
    null,
    0,
    -1,
    '',
    'x',
    '* * * *',
    '60 * * * *',
    '* * * * * * *',
    '0 0 30 2 *',
    '*/0 * * * *',
    '1-',
    'L W ? #',
    '@hourly',
    `${'*,'.repeat(5000)}*`,
    [],
    {},
    { __proto__: null, a: 1 },
    '9'.repeat(400),
    1e308,
    '2026-02-30',
    '\u0000',
    'Europe/Nowhere',
    '/_/a/b',
    '../x',
    '/__proto__/x',
  ])
  const field = pick([
    'cron',
    'timezone',
    'startDate',
    'stopDate',
    'date',
    'minutes',
    'maxTriggers',
    'trigger_payload',
    'triggerName',
    'authKey',
    'lifecycleEvent',
    'cronDialect',
    'strict',
    '__proto__',
    'catchUp',
    'ceFilter',
  ])
  const action = pick(['alarm', 'interval', 'once'])
  const base = {
    lifecycleEvent: pick(['CREATE', 'READ', 'UPDATE', 'DELETE', 'PAUSE']),
    triggerName: '/_/hostile-feed',
    authKey: 'a:b',
    cron: '0 0 1 1 *',
    minutes: 5,
    date: 4e12,
  }
  const body = JSON.stringify({ ...base, [field]: odd, [`x${Math.floor(random() * 10)}`]: odd })
  const head = `POST /api/v1/namespaces/whisk.system/actions/alarms/${action}?blocking=true HTTP/1.1\r\nHost: HOST\r\nAuthorization: AUTH\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`
  return { title: `feed ${action} ${field}=${JSON.stringify(odd)?.slice(0, 60)}`, head, body: Buffer.from(body) }
}
