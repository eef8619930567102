import { describe, expect, it } from 'vitest'
import { createFixture, nodeAction, other } from './testing/fixture.ts'

const bindTo = (name: string, namespace = '_') => ({ binding: { namespace, name } })

describe('packages', () => {
  it('[rest:134] creates a package from nothing', async () => {
    const { call } = await createFixture()
    const { status, json } = await call('PUT', '~packages/p', {})
    expect(status).toBe(200)
    expect(json).toEqual({
      namespace: 'guest',
      name: 'p',
      version: '0.0.1',
      publish: false,
      updated: expect.any(Number),
      annotations: [],
      parameters: [],
      binding: {},
    })
    expect((await call('PUT', '~packages/p', {})).json.error).toBe('resource already exists')
  })

  it('[rest:135] keeps the name default for itself, before it looks at the body', async () => {
    const { call } = await createFixture()
    for (const body of [{}, [], '']) {
      const { status, json } = await call('PUT', '~packages/default', body)
      expect([status, json.error]).toEqual([400, "Package name 'default' is reserved."])
    }
  })

  it('replaces parameters and annotations on update and keeps the rest', async () => {
    const { call } = await createFixture()
    const parameters = [{ key: 'p', value: 1 }]
    await call('PUT', '~packages/p', { parameters, annotations: [{ key: 'a', value: 1 }], publish: true })
    const { json } = await call('PUT', '~packages/p?overwrite=true', { annotations: [] })
    expect(json).toMatchObject({ version: '0.0.2', publish: true, parameters, annotations: [] })
  })

  it('[rest:143] shows actions and feeds', async () => {
    const { call } = await createFixture()
    await call('PUT', '~packages/p', {})
    await call('PUT', '~actions/p/a', nodeAction)
    await call('PUT', '~actions/p/f', { ...nodeAction, annotations: [{ key: 'feed', value: true }] })
    const { json } = await call('GET', '~packages/p')
    expect(json.actions).toEqual([{ name: 'a', version: '0.0.1', annotations: expect.any(Array) }])
    expect(json.feeds).toEqual([{ name: 'f', version: '0.0.1', annotations: expect.any(Array) }])
  })

  it('[rest:145] names what is missing', async () => {
    const { call } = await createFixture()
    const { status, json } = await call('GET', '~packages/none')
    expect([status, json.error]).toEqual([404, "The requested resource 'guest/none' does not exist."])
    expect((await call('DELETE', '~packages/none')).json.error).toBe('The requested resource does not exist.')
  })

  it.each([
    '@other/packages/none',
    '@other/packages/private',
    '@other/packages/bound',
    '@other/packages/open',
    '@bogusns/packages/x',
  ])('[rest:146] answers 403 to GET %s', async path => {
    const { call } = await createFixture()
    await call('PUT', '~packages/private', {}, { as: other })
    await call('PUT', '~packages/public', { publish: true }, { as: other })
    await call('PUT', '~packages/bound', { ...bindTo('private'), publish: true }, { as: other })
    await call('PUT', '~packages/open', { ...bindTo('public'), publish: true }, { as: other })
    const { status, json } = await call('GET', path)
    const resource = path.slice(1).replace('/packages', '')
    expect(status).toBe(403)
    expect(json.error).toBe(`The supplied authentication is not authorized to access '${resource}'.`)
  })

  it('[rest:147] lists of a foreign namespace what is public', async () => {
    const { call } = await createFixture()
    await call('PUT', '~packages/public', { publish: true }, { as: other })
    await call('PUT', '~packages/private', {}, { as: other })
    await call('PUT', '~packages/bound', { ...bindTo('public'), publish: true }, { as: other })
    const { json } = await call('GET', '@other/packages')
    expect(json).toEqual([
      {
        namespace: 'other',
        name: 'public',
        version: '0.0.1',
        publish: true,
        updated: expect.any(Number),
        annotations: [],
        binding: false,
      },
    ])
    const own = await call('GET', '~packages', undefined, { as: other })
    expect(own.json).toHaveLength(3)
    expect(own.json[0].binding).toEqual({ namespace: 'other', name: 'public' })
  })

  it('[rest:148] lists nothing of a namespace that is none', async () => {
    const { call } = await createFixture()
    const { status, json } = await call('GET', '@bogusns/packages')
    expect([status, json]).toEqual([200, []])
  })

  it('[rest:149] does not delete what is not empty', async () => {
    const { call } = await createFixture()
    await call('PUT', '~packages/p', {})
    await call('PUT', '~actions/p/a', nodeAction)
    const one = await call('DELETE', '~packages/p')
    const text = (number: string) =>
      `Package not empty (contains ${number}). Set force param or delete package contents.`
    expect([one.status, one.json.error]).toEqual([409, text('1 entity')])
    await call('PUT', '~actions/p/b', nodeAction)
    expect((await call('DELETE', '~packages/p')).json.error).toBe(text('2 entities'))
  })

  it('[rest:150] deletes the contents too when forced', async () => {
    const { call } = await createFixture()
    await call('PUT', '~packages/p', {})
    await call('PUT', '~actions/p/a', nodeAction)
    await call('PUT', '~actions/p/b', { exec: { ...nodeAction.exec, code: 'x'.repeat(99_999) } })
    expect((await call('DELETE', '~packages/p?force=true')).status).toBe(200)
    expect((await call('GET', '~actions')).json).toEqual([])
  })

  it('[rest:152] has nothing below a package', async () => {
    const { call } = await createFixture()
    await call('PUT', '~packages/p', {})
    expect((await call('GET', '~packages/p/x')).status).toBe(404)
  })

  it('[rest:153] tells an action from a package', async () => {
    const { call } = await createFixture()
    await call('PUT', '~actions/a', nodeAction)
    for (const method of ['GET', 'DELETE', 'PUT']) {
      const { status, json } = await call(method, '~packages/a?overwrite=true', method === 'PUT' ? {} : undefined)
      expect([status, json.error]).toEqual([409, 'Resource by this name exists but is not in this collection.'])
    }
  })
})

describe('bindings', () => {
  it('[rest:136] binds to an own package', async () => {
    const { call } = await createFixture()
    await call('PUT', '~packages/p', {})
    const { json } = await call('PUT', '~packages/b', bindTo('p'))
    expect(json.binding).toEqual({ namespace: 'guest', name: 'p' })
    expect(json.annotations).toEqual([{ key: 'binding', value: { namespace: 'guest', name: 'p' } }])
  })

  it.each([
    ['[rest:137] a package that is missing', bindTo('none'), 400, 'Binding references a package that does not exist.'],
    ['the package that is being made', bindTo('b'), 400, 'Binding references a package that does not exist.'],
    [
      '[rest:138] a foreign private package',
      bindTo('private', 'other'),
      403,
      "The supplied authentication is not authorized to access 'other/private'.",
    ],
    [
      'a foreign package that is missing',
      bindTo('none', 'other'),
      403,
      "The supplied authentication is not authorized to access 'other/none'.",
    ],
    ['[rest:139] an action', bindTo('a'), 409, 'Cannot bind to a resource that is not a package.'],
    ['another binding', bindTo('bound'), 400, 'Cannot bind to another package binding.'],
    ['null', { binding: null }, 400, "The request content was malformed:\nObject expected in field 'namespace'"],
    [
      'a name alone',
      { binding: { name: 'p' } },
      400,
      "The request content was malformed:\nObject is missing required member 'namespace'",
    ],
    [
      'a namespace alone',
      { binding: { namespace: '_' } },
      400,
      "The request content was malformed:\nObject is missing required member 'name'",
    ],
  ])('does not bind to %s', async (_title, body, status, error) => {
    const { call } = await createFixture()
    await call('PUT', '~packages/private', {}, { as: other })
    await call('PUT', '~actions/a', nodeAction)
    await call('PUT', '~packages/p', {})
    await call('PUT', '~packages/bound', bindTo('p'))
    const answer = await call('PUT', '~packages/b', body)
    expect([answer.status, answer.json.error]).toEqual([status, error])
  })

  it('[rest:140] does not bind a binding to itself', async () => {
    const { call } = await createFixture()
    await call('PUT', '~packages/p', {})
    const { json: before } = await call('PUT', '~packages/b', bindTo('p'))
    const { status, json } = await call('PUT', '~packages/b?overwrite=true', bindTo('b'))
    expect([status, json.error]).toEqual([400, 'Cannot bind to another package binding.'])
    const { actions: _, feeds: __, ...after } = (await call('GET', '~packages/b')).json as Record<string, unknown>
    expect(after).toEqual(before)
  })

  it('[rest:141] does not turn a package into a binding', async () => {
    const { call } = await createFixture()
    await call('PUT', '~packages/p', {})
    await call('PUT', '~packages/q', {})
    const { status, json } = await call('PUT', '~packages/p?overwrite=true', bindTo('q'))
    expect([status, json.error]).toEqual([409, 'Resource is a package and cannot be converted into a binding.'])
    expect((await call('PUT', '~packages/p?overwrite=true', { binding: {} })).status).toBe(200)
  })

  it("[rest:142] lets the server's binding annotation win", async () => {
    const { call } = await createFixture()
    await call('PUT', '~packages/p', {})
    await call('PUT', '~packages/q', {})
    await call('PUT', '~packages/b', bindTo('p'))
    const body = { ...bindTo('q'), annotations: [{ key: 'binding', value: 'xxx' }] }
    const { json } = await call('PUT', '~packages/b?overwrite=true', body)
    expect(json.annotations).toEqual([{ key: 'binding', value: { namespace: 'guest', name: 'q' } }])
    expect(
      (await call('PUT', '~packages/p?overwrite=true', { annotations: body.annotations })).json.annotations,
    ).toEqual([])
  })

  it('[rest:144] shows merged parameters and what the provider holds', async () => {
    const { call } = await createFixture()
    const parameters = (key: string, value: number) => ({ key, value })
    await call('PUT', '~packages/p', { parameters: [parameters('a', 1), parameters('b', 1)] })
    await call('PUT', '~actions/p/x', nodeAction)
    await call('PUT', '~packages/b', { ...bindTo('p'), parameters: [parameters('b', 2)], publish: true })
    const { json } = await call('GET', '~packages/b')
    expect(json.parameters).toEqual([parameters('a', 1), parameters('b', 2)])
    expect(json.actions).toHaveLength(1)
    expect([json.namespace, json.name, json.publish]).toEqual(['guest', 'b', true])
  })

  it('[rest:151] is deleted and listed whatever became of its provider', async () => {
    const { call } = await createFixture()
    await call('PUT', '~packages/p', {})
    await call('PUT', '~packages/b', bindTo('p'))
    await call('DELETE', '~packages/p')
    const gone = await call('GET', '~packages/b')
    expect([gone.status, gone.json.error]).toEqual([404, "The requested resource 'guest/b' does not exist."])
    expect((await call('GET', '~packages')).json).toHaveLength(1)
    expect((await call('DELETE', '~packages/b')).status).toBe(200)
  })
})
