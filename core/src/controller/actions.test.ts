import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { bounds } from '../model/index.ts'
import { createFixture, nodeAction, other } from './testing/fixture.ts'

const { exec } = nodeAction

describe('actions: create, read, update, delete', () => {
  it('[rest:15] lists nothing when there is nothing', async () => {
    const { call } = await createFixture()
    const { status, json } = await call('GET', '~actions')
    expect([status, json]).toEqual([200, []])
  })

  it('[rest:16] creates with defaults and server annotations', async () => {
    const { call } = await createFixture()
    const { status, json } = await call('PUT', '~actions/a', nodeAction)
    expect(status).toBe(200)
    expect(json).toEqual({
      namespace: 'guest',
      name: 'a',
      version: '0.0.1',
      publish: false,
      updated: expect.any(Number),
      exec: { kind: 'nodejs:20', binary: false, code: exec.code },
      parameters: [],
      annotations: [
        { key: 'provide-api-key', value: false },
        { key: 'exec', value: 'nodejs:20' },
      ],
      limits: { timeout: 60000, memory: 256, logs: 10, concurrency: 1 },
    })
  })

  it('[rest:17] refuses to create what exists', async () => {
    const { call } = await createFixture()
    await call('PUT', '~actions/a', nodeAction)
    const { status, json } = await call('PUT', '~actions/a', nodeAction)
    expect([status, json.error]).toEqual([409, 'resource already exists'])
  })

  it('[rest:18] updates: the version counts up, parameters are replaced', async () => {
    const { call } = await createFixture()
    await call('PUT', '~actions/a', { ...nodeAction, parameters: [{ key: 'old', value: 1 }] })
    const parameters = [{ key: 'new', value: { deep: [null] } }]
    const { json } = await call('PUT', '~actions/a?overwrite=true', { ...nodeAction, parameters })
    expect([json.version, json.parameters]).toEqual(['0.0.2', parameters])
  })

  it('[rest:19] merges annotations on update', async () => {
    const { call } = await createFixture()
    const annotations = (...pairs: [string, number][]) => pairs.map(([key, value]) => ({ key, value }))
    await call('PUT', '~actions/a', { ...nodeAction, annotations: annotations(['k1', 1], ['k2', 2]) })
    const { json } = await call('PUT', '~actions/a?overwrite=true', { annotations: annotations(['k1', 11], ['k3', 3]) })
    const own = (json.annotations as { key: string }[]).filter(({ key }) => key.startsWith('k'))
    expect(own).toEqual(annotations(['k1', 11], ['k2', 2], ['k3', 3]))
  })

  it('[rest:20] removes the annotations that delAnnotations names', async () => {
    const { call } = await createFixture()
    const annotations = [
      { key: 'key1', value: 1 },
      { key: 'key2', value: 2 },
    ]
    await call('PUT', '~actions/a', { ...nodeAction, annotations })
    const { json } = await call('PUT', '~actions/a?overwrite=true', { ...nodeAction, delAnnotations: ['key1'] })
    const keys = (json.annotations as { key: string }[]).map(({ key }) => key)
    expect(keys).toContain('key2')
    expect(keys).not.toContain('key1')
  })

  it('keeps what an update does not name', async () => {
    const { call } = await createFixture()
    const parameters = [{ key: 'p', value: 1, init: true }]
    const created = { ...nodeAction, parameters, publish: true, version: '3.2.1', limits: { timeout: 1000 } }
    await call('PUT', '~actions/a', created)
    const { json } = await call('PUT', '~actions/a?overwrite=true', { limits: { memory: 128 } })
    expect(json).toMatchObject({
      version: '3.2.2',
      publish: true,
      parameters,
      exec: { code: exec.code },
      limits: { timeout: 1000, memory: 128 },
    })
  })

  it('ignores unknown fields and takes null for absent', async () => {
    const { call } = await createFixture()
    const body = {
      ...nodeAction,
      name: 'x',
      namespace: 'y',
      updated: 1,
      foo: 1,
      limits: null,
      version: null,
      publish: null,
    }
    const { status, json } = await call('PUT', '~actions/a', body)
    expect([status, json.name, json.namespace]).toEqual([200, 'a', 'guest'])
    expect(json.updated).toBeGreaterThan(1)
  })

  it('[rest:31] completes partial limits with the defaults', async () => {
    const { call } = await createFixture()
    const { json } = await call('PUT', '~actions/a', { ...nodeAction, limits: { memory: 128 } })
    expect(json.limits).toEqual({ timeout: 60000, memory: 128, logs: 10, concurrency: 1 })
  })

  it('[rest:36] takes names with spaces', async () => {
    const { call } = await createFixture()
    const { status, json } = await call('PUT', '~actions/my%20action', nodeAction)
    expect([status, json.name]).toEqual([200, 'my action'])
  })

  it('[rest:37] tells upper and lower case apart', async () => {
    const { call } = await createFixture()
    for (const name of ['TEST', 'test']) expect((await call('PUT', `~actions/${name}`, nodeAction)).status).toBe(200)
    expect((await call('GET', '~actions')).json).toHaveLength(2)
  })

  it('[rest:38] keeps a blackbox without code', async () => {
    const { call } = await createFixture()
    const { json } = await call('PUT', '~actions/b', { exec: { kind: 'blackbox', image: 'x/y', code: '' } })
    expect(json.exec).toEqual({ kind: 'blackbox', image: 'x/y', binary: false })
  })

  it('[rest:39] sees that code is binary', async () => {
    const { call } = await createFixture()
    const code = deflateSync(Buffer.alloc(99, 'zip')).toString('base64')
    const { json } = await call('PUT', '~actions/z', { exec: { ...exec, code } })
    expect(json.exec).toEqual({ kind: 'nodejs:20', code, binary: true })
  })

  it('[rest:42] shows all nine fields of an action with its code', async () => {
    const { call } = await createFixture()
    await call('PUT', '~actions/a', nodeAction)
    const { json } = await call('GET', '~actions/a')
    expect(Object.keys(json as object).sort()).toEqual([
      'annotations',
      'exec',
      'limits',
      'name',
      'namespace',
      'parameters',
      'publish',
      'updated',
      'version',
    ])
    expect(json.exec.code).toBe(exec.code)
  })

  it('[rest:43] leaves the code out when asked to', async () => {
    const { call } = await createFixture()
    await call('PUT', '~actions/a', nodeAction)
    expect((await call('GET', '~actions/a?code=false')).json.exec).toEqual({ kind: 'nodejs:20', binary: false })
    expect((await call('GET', '~actions/a?code=')).json.exec.code).toBe(exec.code)
  })

  it.each(['GET', 'DELETE'])('[rest:44] [rest:48] answers 404 to %s of what is missing', async method => {
    const { call } = await createFixture()
    const { status, json } = await call(method, '~actions/none')
    expect([status, json.error]).toEqual([404, 'The requested resource does not exist.'])
  })

  it.each([
    ['GET', undefined],
    ['PUT', nodeAction],
    ['POST', {}],
    ['DELETE', undefined],
  ])('[rest:45] answers 409 to %s of what is in another collection', async (method, body) => {
    const { call } = await createFixture()
    await call('PUT', '~triggers/t', {})
    const { status, json } = await call(method, '~actions/t?overwrite=true', body)
    expect([status, json.error]).toEqual([409, 'Resource by this name exists but is not in this collection.'])
  })

  it('[rest:46] says when a stored document is damaged, and lists the others', async () => {
    const { call, artifacts } = await createFixture()
    await artifacts.put('guest/t', { entityType: 'action', namespace: 'guest', updated: 1, name: 't' })
    await call('PUT', '~actions/a', nodeAction)
    for (const [method, query] of [
      ['GET', ''],
      ['GET', '?code=false'],
      ['POST', ''],
      ['DELETE', ''],
    ] as const) {
      const { status, json } = await call(method, `~actions/t${query}`)
      expect([status, json.error]).toEqual([500, 'Resource is corrupted and cannot be read.'])
    }
    expect((await call('GET', '~actions')).json).toHaveLength(1)
  })

  it('[rest:47] answers a delete with the whole entity', async () => {
    const { call } = await createFixture()
    const created = await call('PUT', '~actions/a', nodeAction)
    expect((await call('DELETE', '~actions/a')).json).toEqual(created.json)
    expect((await call('GET', '~actions/a')).status).toBe(404)
  })

  it('[rest:54] hides foreign actions, there or not', async () => {
    const { call } = await createFixture()
    await call('PUT', '~actions/a', nodeAction, { as: other })
    for (const name of ['a', 'none']) {
      const { status, json } = await call('GET', `@other/actions/${name}`)
      expect(status).toBe(403)
      expect(json.error).toBe(`The supplied authentication is not authorized to access 'other/${name}'.`)
    }
  })

  it('[rest:55] has no POST on the collection', async () => {
    const { call } = await createFixture()
    expect((await call('POST', '~actions', {})).status).toBe(404)
  })
})

describe('actions: refused bodies', () => {
  const annotated = (annotations: unknown) => ({ ...nodeAction, annotations })

  it.each([
    ['[rest:21] no exec', {}, 'exec undefined'],
    [
      '[rest:23] an unknown kind',
      { exec: { ...exec, kind: 'foobar' } },
      malformed(
        "The specified runtime 'foobar' is not supported by this platform. Valid values are: 'nodejs:18', 'nodejs:20', 'java:8', 'sequence', 'blackbox'.",
      ),
    ],
    ['[rest:24] exec without kind', { exec: { code: '' } }, malformed("'kind' must be a string defined in 'exec'")],
    ['exec that is no object', { exec: 'x' }, malformed('JSON object expected')],
    ['[rest:25] parameters that are no list', { ...nodeAction, parameters: {} }, malformed('parameters malformed!')],
    ['an annotation without a value', annotated([{ key: 'a' }]), malformed('parameters malformed!')],
    ['an annotation whose key is no text', annotated([{ key: 1, value: 1 }]), malformed('parameters malformed!')],
    [
      'a parameter whose init is no boolean',
      { ...nodeAction, parameters: [{ key: 'a', value: 1, init: 'x' }] },
      malformed('parameters malformed!'),
    ],
    [
      'code that is missing',
      { exec: { kind: 'nodejs:default' } },
      malformed("'code' must be a string or attachment object defined in 'exec' for 'nodejs:default' actions"),
    ],
    [
      'code that is no text',
      { exec: { kind: 'nodejs:20', code: [1] } },
      malformed('Could not deserialize as attachment record: [1]'),
    ],
    [
      'a main that is blank',
      { exec: { ...exec, kind: ' NodeJS:20 ', main: ' ' } },
      malformed("if defined, 'main' be a string in 'exec' for 'nodejs:20' actions"),
    ],
    [
      '[runtime:MAN-15] Java without main',
      { exec: { kind: 'java:default', code: 'UEsD' } },
      malformed("'main' must be a string defined in 'exec' for 'java:default' actions"),
    ],
    [
      'a blackbox without image',
      { exec: { kind: 'blackbox', code: '' } },
      malformed("'image' must be a string defined in 'exec' for 'blackbox' actions"),
    ],
    ['an image that is no name', { exec: { kind: 'blackbox', image: 'ABC' } }, malformed('could not parse image name')],
    ['a version that is none', { ...nodeAction, version: '0.0.0' }, malformed('semantic version malformed')],
    [
      'publish that is no boolean',
      { ...nodeAction, publish: { a: 1 } },
      malformed('Expected JsBoolean, but got {"a":1}'),
    ],
    ['a list instead of an object', [], malformed("Object expected in field 'exec'")],
    ['limits that are no object', { ...nodeAction, limits: 5 }, malformed("Object expected in field 'timeout'")],
    [
      'a fraction of a limit',
      { ...nodeAction, limits: { logs: 1.5 } },
      malformed('requirement failed: log limit must be whole number'),
    ],
    [
      'a fraction of concurrency',
      { ...nodeAction, limits: { concurrency: 1.5 } },
      malformed('requirement failed: intra concurrency limit must be whole number'),
    ],
    [
      'concurrency that is no number',
      { ...nodeAction, limits: { concurrency: '1' } },
      malformed('concurrency limit malformed'),
    ],
    ['memory that is no number', { ...nodeAction, limits: { memory: true } }, malformed('memory limit malformed')],
    [
      'negative memory',
      { ...nodeAction, limits: { memory: -1 } },
      malformed('requirement failed: a negative size of an object is not allowed.'),
    ],
    [
      '[rest:30] a time-out of 0',
      { ...nodeAction, limits: { timeout: 0 } },
      'requirement failed: duration 0 milliseconds below allowed threshold of 100 milliseconds',
    ],
    [
      'too long a time-out',
      { ...nodeAction, limits: { timeout: 300001 } },
      'requirement failed: duration 300001 milliseconds exceeds allowed threshold of 300000 milliseconds',
    ],
    [
      'too much memory',
      { ...nodeAction, limits: { memory: 513, timeout: 0 } },
      'requirement failed: memory size 513 MB exceeds allowed threshold of 512 MB',
    ],
    [
      'too much concurrency',
      { ...nodeAction, limits: { concurrency: 2 } },
      'requirement failed: concurrency 2 exceeds allowed threshold of 1',
    ],
    [
      'no concurrency',
      { ...nodeAction, limits: { concurrency: 0 } },
      'requirement failed: concurrency 0 below allowed threshold of 1',
    ],
    [
      '[rest:32] more instances than the namespace may have',
      { ...nodeAction, limits: { instances: 31 } },
      'Max action instance concurrency must not exceed your namespace concurrency of 30.',
    ],
    [
      '[rest:41] a deprecated kind',
      { exec: { ...exec, kind: 'nodejs:18' } },
      "The 'nodejs:18' runtime is no longer supported. You may read and delete but not update or invoke this action.",
    ],
  ])('answers 400 to %s', async (_title, body, error) => {
    const { call } = await createFixture()
    const { status, json, headers } = await call('PUT', '~actions/a', body)
    expect([status, json.error]).toEqual([400, error])
    // Rejections carry no CORS headers, answers from inside a route do.
    expect('access-control-allow-origin' in headers).toBe(!error.startsWith('The request content was malformed'))
  })

  it.each([
    [
      '[rest:22] nothing',
      '',
      {},
      400,
      malformed('Unexpected end-of-input at input index 0 (line 1, position 1), expected JSON Value:\n\n^\n'),
    ],
    [
      '[rest:56] plain text',
      '{}',
      { 'content-type': 'text/plain' },
      415,
      "The request's Content-Type [text/plain] is not supported. Expected:\napplication/json",
    ],
    [
      'a type that is none',
      '{}',
      { 'content-type': 'what ever' },
      415,
      "The request's Content-Type [what ever] is not supported. Expected:\napplication/json",
    ],
    [
      'no type',
      '{}',
      {},
      415,
      "The request's Content-Type [application/octet-stream] is not supported. Expected:\napplication/json",
    ],
  ])('answers %s', async (_title, body, headers, status, error) => {
    const { call } = await createFixture()
    const answer = await call('PUT', '~actions/a', body, { headers })
    expect([answer.status, answer.json.error]).toEqual([status, error])
  })

  it.each([
    [
      '[rest:26] [runtime:MAN-17] code',
      { exec: { kind: 'nodejs:20', code: 'x'.repeat(bounds.api.codeBytesMax + 1) } },
      'exec larger than allowed: 50331649 > 50331648 bytes.',
    ],
    [
      '[rest:27] parameters',
      { ...nodeAction, parameters: big() },
      'parameters larger than allowed: 1048577 > 1048576 bytes.',
    ],
    [
      '[rest:28] annotations',
      { ...nodeAction, annotations: big() },
      'annotations larger than allowed: 1048577 > 1048576 bytes.',
    ],
  ])('answers 413 to too much of %s', async (_title, body, error) => {
    const { call } = await createFixture()
    const { status, json } = await call('PUT', '~actions/a', body)
    expect([status, json.error]).toEqual([413, error])
  })

  it("[rest:29] quotes the namespace's own bounds", async () => {
    const { call, setLimits } = await createFixture()
    await setLimits('guest', { maxActionMemory: 128, maxParameterSize: '1 KB' })
    const { status, json } = await call('PUT', '~actions/a', { ...nodeAction, limits: { memory: 512 } })
    expect(status).toBe(400)
    expect(json.error).toBe('requirement failed: memory size 512 MB exceeds allowed threshold of 128 MB')
    const parameters = [{ key: 'k', value: 'x'.repeat(1024) }]
    const tooBig = await call('PUT', '~actions/a', { ...nodeAction, parameters })
    expect(tooBig.json.error).toBe('parameters larger than allowed: 1027 > 1024 bytes.')
  })

  it('[rest:33] refuses names of 257 characters', async () => {
    const { call } = await createFixture()
    const { status, json } = await call('PUT', `~actions/${'a'.repeat(257)}`, nodeAction)
    expect([status, json.error]).toEqual([400, 'Name segement longer than allowed: 257 > 256.'])
  })

  it('[rest:34] has no action without a name', async () => {
    const { call } = await createFixture()
    const { status, json } = await call('PUT', '~actions/', nodeAction)
    expect([status, json.error]).toEqual([404, 'The requested resource could not be found.'])
  })

  it.each(['%20', 'hi+there', '$hola', 'dora%3F', 'a%0A'])('[rest:35] refuses the name %s', async name => {
    const { call } = await createFixture()
    const { status, json } = await call('PUT', `~actions/${name}`, nodeAction)
    expect([status, json.error]).toEqual([400, 'The name of the entity contains illegal characters.'])
  })

  it('[rest:40] refuses kinds that the namespace may not use', async () => {
    const { call, setLimits } = await createFixture()
    await setLimits('guest', { allowedKinds: ['java:8'] })
    const { status, json } = await call('PUT', '~actions/a', nodeAction)
    expect(status).toBe(403)
    expect(json.error).toBe("The supplied authentication is not authorized to access actions of kind 'nodejs:20'.")
  })

  it.each([
    ['[runtime:MAN-12] is deprecated', 'nodejs:18'],
    ['[runtime:MAN-13] has left the manifest', 'nodejs:6'],
  ])('reads, deletes and moves actions whose kind %s', async (_, kind) => {
    const { call, artifacts } = await createFixture()
    await call('PUT', '~actions/a', nodeAction)
    const stored = await artifacts.get('guest/a')
    const makeOld = async (): Promise<void> => {
      const now = await artifacts.get('guest/a')
      const old = { ...stored!.document, exec: { kind, code: 'x', binary: false } }
      await artifacts.put('guest/a', old, now?.revision)
    }
    await makeOld()
    const text = `The '${kind}' runtime is no longer supported. You may read and delete but not update or invoke this action.`
    for (const [method, path] of [
      ['PUT', '~actions/a?overwrite=true'],
      ['POST', '~actions/a'],
    ] as const) {
      const { status, json } = await call(method, path, {})
      expect([status, json.error]).toEqual([400, text])
    }
    expect((await call('GET', '~actions/a')).json.exec.kind).toBe(kind)
    expect((await call('PUT', '~actions/a?overwrite=true', nodeAction)).json.exec.kind).toBe('nodejs:20')
    await makeOld()
    expect((await call('DELETE', '~actions/a')).status).toBe(200)
    expect((await call('GET', '~actions/a')).status).toBe(404)
  })

  it('[runtime:MAN-12] creates no action of a kind that is deprecated', async () => {
    const { call } = await createFixture()
    const { status, json } = await call('PUT', '~actions/a', { exec: { kind: 'nodejs:18', code: 'x' } })
    expect(status).toBe(400)
    expect(json.error).toMatch(/^The 'nodejs:18' runtime is no longer supported\./)
    expect((await call('GET', '~actions/a')).status).toBe(404)
  })

  it('looks at the body before it looks whether the action exists', async () => {
    const { call } = await createFixture()
    await call('PUT', '~actions/a', nodeAction)
    expect((await call('PUT', '~actions/a', { exec: {} })).status).toBe(400)
  })
})

describe('actions: big code', () => {
  it('keeps code over 16 KiB as an attachment, gives it back whole, and leaves none behind', async () => {
    const { call, artifacts, attachmentsOf } = await createFixture()
    const code = (mark: string) => mark.repeat(bounds.store.inlineCodeBytesMax) + '\u00e4'
    const created = await call('PUT', '~actions/a', { exec: { ...exec, code: code('x') } })
    expect(created.json.exec.code).toBe(code('x'))
    expect((await artifacts.get('guest/a'))?.document['exec']).not.toHaveProperty('code')
    expect((await call('GET', '~actions/a')).json.exec.code).toBe(code('x'))
    await call('PUT', '~actions/a?overwrite=true', { exec: { ...exec, code: code('y') } })
    expect((await call('PUT', '~actions/a?overwrite=true', {})).json.exec.code).toBe(code('y'))
    expect(await attachmentsOf('guest/a')).toBe(1)
    expect((await call('DELETE', '~actions/a')).json.exec.code).toBe(code('y'))
    expect(await attachmentsOf('guest/a')).toBe(0)
  })

  it('keeps exactly the code that is stored when several updates meet', async () => {
    const { call, artifacts, attachmentsOf } = await createFixture()
    await call('PUT', '~actions/a', nodeAction)
    // A store that takes its time lets all updates read before the first one writes.
    const { get } = artifacts
    artifacts.get = async id => {
      const stored = await get(id)
      for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setImmediate(resolve))
      return stored
    }
    const marks = ['1', '2', '3', '4', '5']
    const put = (mark: string) =>
      call('PUT', '~actions/a?overwrite=true', { exec: { ...exec, code: mark.repeat(99_999) } })
    const written = await Promise.all(marks.map(put))
    expect(written.map(({ json }) => json.version as string)).toEqual(marks.map(mark => `0.0.${Number(mark) + 1}`))
    const { json } = await call('GET', '~actions/a')
    expect(json.exec.code).toBe('5'.repeat(99_999))
    expect(await attachmentsOf('guest/a')).toBe(1)
  })

  it('keeps small code in the document', async () => {
    const { call, attachmentsOf } = await createFixture()
    await call('PUT', '~actions/a', { exec: { ...exec, code: 'x'.repeat(bounds.store.inlineCodeBytesMax) } })
    expect(await attachmentsOf('guest/a')).toBe(0)
  })
})

describe('actions: lists', () => {
  it.each([
    ['[rest:49]', 'limit=201', 'limit', "The value '201' is not in the range of 0 to 200 for actions."],
    ['[rest:50]', 'limit=string', 'limit', "The value 'string' is not an integer for actions."],
    ['[rest:50]', 'skip=string', 'skip', "The value 'string' is not an integer for actions."],
    ['[rest:51]', 'skip=-1', 'skip', "The value '-1' is not greater than or equal to 0 for actions."],
    ['', 'limit=', 'limit', "The value '' is not an integer for actions."],
    ['', 'count=maybe', 'count', "'maybe' is not a valid Boolean value"],
  ])('%s answers 400 to %s', async (_id, query, name, detail) => {
    const { call } = await createFixture()
    const { status, json } = await call('GET', `~actions?${query}`)
    expect([status, json.error]).toEqual([400, `The query parameter '${name}' was malformed:\n${detail}`])
  })

  it('[rest:52] takes a limit of 0 for as many as there may be, newest first', async () => {
    const { call } = await createFixture()
    for (let number = 0; number < 35; number++) await call('PUT', `~actions/a${number}`, nodeAction)
    const { json } = await call('GET', '~actions?limit=0&skip=0')
    expect((json as { name: string }[]).map(({ name }) => name)).toEqual(
      Array.from({ length: 35 }, (_, index) => `a${34 - index}`),
    )
    expect((await call('GET', '~actions')).json).toHaveLength(30)
    expect(json[0]).toEqual({
      namespace: 'guest',
      name: 'a34',
      version: '0.0.1',
      publish: false,
      updated: expect.any(Number),
      annotations: expect.any(Array),
      limits: { timeout: 60000, memory: 256, logs: 10, concurrency: 1 },
      exec: { binary: false },
    })
  })

  it('[rest:53] counts what is left after skipping', async () => {
    const { call } = await createFixture()
    for (const name of ['a', 'b']) await call('PUT', `~actions/${name}`, nodeAction)
    expect((await call('GET', '~actions?count=true')).json).toEqual({ actions: 2 })
    expect((await call('GET', '~actions?count=true&skip=5')).json).toEqual({ actions: 0 })
  })
})

describe('JSON as it came', () => {
  it('keeps every digit of numbers in parameters, annotations and stored answers', async () => {
    const { call } = await createFixture()
    const exact = '{"big":12345678901234567890,"small":1.000000000000000000001,"e":1e400}'
    const list = `[{"key":"n","value":${exact}}]`
    const body = `{"exec":{"kind":"nodejs:20","code":""},"parameters":${list},"annotations":${list}}`
    const { text } = await call('PUT', '~actions/a', body, { headers: { 'content-type': 'application/json' } })
    for (const answer of [text, (await call('GET', '~actions/a')).text]) {
      expect(answer.split(`"value":${exact}`)).toHaveLength(3)
    }
  })

  it('keeps __proto__ and constructor as plain keys, and leaves prototypes alone', async () => {
    const { call } = await createFixture()
    const body = `{"exec":{"kind":"nodejs:20","code":""},"__proto__":{"polluted":1},
      "parameters":[{"key":"__proto__","value":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}]}`
    const { text } = await call('PUT', '~actions/a', body, { headers: { 'content-type': 'application/json' } })
    expect(text).toContain('{"key":"__proto__","value":{"__proto__":{"polluted":1},"constructor"')
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })
})

it('gives the loser of a race against another process the sentence that clients wait for', async () => {
  const fixture = await createFixture()
  await fixture.call('PUT', '~actions/a', nodeAction)
  const { get } = fixture.artifacts
  fixture.artifacts.get = async id => {
    const stored = await get(id)
    // Somebody else writes between this process' read and write.
    if (id === 'guest/a' && stored !== undefined) await fixture.artifacts.put(id, stored.document, stored.revision)
    return stored
  }
  const { status, json } = await fixture.call('PUT', '~actions/a?overwrite=true', nodeAction)
  expect([status, json.error]).toEqual([409, 'Concurrent modification to resource detected.'])
})

function malformed(detail: string): string {
  return `The request content was malformed:\n${detail}`
}

/** One entry of 1,048,577 bytes. */
function big(): object[] {
  return [{ key: 'k', value: 'x'.repeat(1_048_576 - 2) }]
}
