import { describe, expect, it } from 'vitest'
import { accessControl } from './answers.ts'
import { createFixture, guest, other } from './testing/fixture.ts'

const api = { as: null } as const

describe('envelope, authentication, namespaces', () => {
  it('[rest:1] tells at / what the server is, without credentials', async () => {
    const { call } = await createFixture()
    const { status, json, headers } = await call('GET', '/', undefined, api)
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/json')
    expect(json.api_paths).toEqual(['/api/v1'])
    expect(Object.keys(json).sort()).toEqual(['api_paths', 'description', 'limits', 'runtimes', 'support'])
    expect(Object.keys(json.limits as object).sort()).toEqual(
      [
        'actions_per_minute',
        'concurrent_actions',
        'sequence_length',
        'triggers_per_minute',
        ...['', 'default_'].flatMap(prefix =>
          ['duration', 'logs', 'memory'].flatMap(what => [
            `${prefix}max_action_${what}`,
            `${prefix}min_action_${what}`,
          ]),
        ),
      ].sort(),
    )
    expect(json.limits.min_action_memory).toBe(134217728)
    expect(Object.keys(json.runtimes.nodejs[0] as object).sort()).toEqual([
      'attached',
      'default',
      'deprecated',
      'image',
      'kind',
      'requireMain',
    ])
  })

  it('[rest:2] tells at /api/v1 which API it is, with and without a slash', async () => {
    const { call } = await createFixture()
    for (const path of ['/api/v1', '/api/v1/']) {
      const { status, json, headers } = await call('GET', path, undefined, api)
      expect(status).toBe(200)
      expect(json).toMatchObject({ api_version: '1.0.0', build: expect.any(String), buildno: expect.any(String) })
      expect(headers['access-control-allow-origin']).toBe('*')
    }
  })

  it('[rest:3] answers ping', async () => {
    const { call } = await createFixture()
    const { status, text, headers } = await call('GET', '/ping', undefined, api)
    expect([status, text, headers['content-type']]).toEqual([200, 'pong', 'text/plain; charset=UTF-8'])
    expect(headers).not.toHaveProperty('access-control-allow-origin')
  })

  it('[rest:4] answers OPTIONS on any API path with the CORS headers', async () => {
    const { call } = await createFixture()
    const { status, text, headers } = await call('OPTIONS', '/api/v1/bogus', undefined, api)
    expect([status, text]).toEqual([200, 'OK'])
    expect(headers).toMatchObject(accessControl.api)
  })

  it('[rest:5] answers OPTIONS outside the API with the operator methods', async () => {
    const { call } = await createFixture()
    const { status, text, headers } = await call('OPTIONS', '/api', undefined, api)
    expect([status, text]).toEqual([200, 'OK'])
    expect(headers['access-control-allow-methods']).toBe('OPTIONS, GET, POST')
  })

  it('[rest:6] refuses a request without credentials and says how to give them', async () => {
    const { call } = await createFixture()
    const { status, json, headers } = await call('GET', '~actions', undefined, api)
    expect(status).toBe(401)
    expect(json.error).toBe('The resource requires authentication, which was not supplied with the request')
    expect(json.code).toBe(headers['x-request-id'])
    expect(headers['www-authenticate']).toBe('Basic realm="OpenWhisk secure realm",charset=UTF-8')
    expect(headers).not.toHaveProperty('access-control-allow-origin')
  })

  it.each([
    ['[rest:7] an unknown uuid', { ...guest, uuid: '99999999-9999-4999-8999-999999999999' }],
    ['[rest:7] a wrong key', { ...guest, key: 'x'.repeat(64) }],
    ['[rest:8] a key of 63 characters', { ...guest, key: guest.key.slice(1) }],
  ])('refuses %s', async (_title, as) => {
    const { call } = await createFixture()
    const { status, json } = await call('GET', '~actions', undefined, { as })
    expect([status, json.error]).toEqual([401, 'The supplied authentication is invalid'])
  })

  it('[rest:9] answers 404 for a path that is no route, to those who are known', async () => {
    const { call } = await createFixture()
    const { status, json, headers } = await call('GET', '/api/v1/nope')
    expect([status, json.error]).toEqual([404, 'The requested resource could not be found.'])
    expect(headers).not.toHaveProperty('access-control-allow-origin')
    expect((await call('GET', '/api/v1/nope', undefined, api)).status).toBe(401)
  })

  it('[rest:10] lists exactly the own namespace', async () => {
    const { call } = await createFixture()
    expect((await call('GET', '/api/v1/namespaces')).json).toEqual(['guest'])
    expect((await call('GET', '/api/v1/namespaces/')).json).toEqual(['guest'])
  })

  it('[rest:11] refuses the lists of a foreign namespace, with CORS headers', async () => {
    const { call } = await createFixture()
    const { status, json, headers } = await call('GET', '@other/actions')
    expect(status).toBe(403)
    expect(json.error).toBe("The supplied authentication is not authorized to access 'other'.")
    expect(headers).toMatchObject(accessControl.api)
  })

  it('[rest:12] shows the default limits', async () => {
    const { call } = await createFixture()
    for (const path of ['~limits', '~limits/']) {
      expect((await call('GET', path)).json).toEqual({
        invocationsPerMinute: 60,
        concurrentInvocations: 30,
        firesPerMinute: 60,
        minActionMemory: 128,
        maxActionMemory: 512,
        minActionLogs: 0,
        maxActionLogs: 10,
        minActionTimeout: 100,
        maxActionTimeout: 300000,
        minActionConcurrency: 1,
        maxActionConcurrency: 1,
        maxParameterSize: '1048576 B',
        maxActionInstances: 30,
      })
    }
  })

  it('[rest:13] shows overridden limits', async () => {
    const { call, setLimits } = await createFixture()
    const overrides = {
      invocationsPerMinute: 100,
      concurrentInvocations: 200,
      firesPerMinute: 300,
      allowedKinds: ['java:8'],
      storeActivations: false,
    }
    await setLimits('guest', overrides)
    expect((await call('GET', '~limits')).json).toMatchObject({ ...overrides, maxActionInstances: 200 })
  })

  it('[rest:14] has nothing below the limits', async () => {
    const { call } = await createFixture()
    const { status, json, headers } = await call('GET', '~limits/x')
    expect([status, json.error]).toEqual([400, 'Inner entity level routes for limits are not yet implemented.'])
    expect(headers).not.toHaveProperty('access-control-allow-origin')
  })
})

describe('paths and methods', () => {
  it.each([
    ['POST', '/', 'GET, OPTIONS'],
    ['GET', '/nope', 'OPTIONS'],
    ['GET', '/api/v2/namespaces', 'OPTIONS'],
    ['GET', '/api/v1x', 'OPTIONS'],
  ])('answers 405 to %s %s outside the API', async (method, path, allow) => {
    const { call } = await createFixture()
    const { status, json, headers } = await call(method, path, undefined, api)
    expect([status, headers['allow']]).toEqual([405, allow])
    expect(json.error).toBe(`HTTP method not allowed, supported methods: ${allow}`)
  })

  it.each([
    ['PATCH', '~actions/a'],
    ['PURGE', '~actions/a'],
    ['POST', '~actions'],
    ['PUT', '~actions/'],
    ['PUT', '~activations/x'],
    ['DELETE', '~limits'],
    ['POST', '~packages/p'],
    ['GET', '~triggers/t/x'],
    ['GET', '~packages/p/x'],
    ['GET', '~actions/a/b/c'],
    ['PUT', '~actions//a'],
    ['GET', '@_x/actions'],
    ['GET', '/api/v1/namespaces/guest'],
    ['GET', '/api/v1/namespaces//actions'],
    ['POST', '@bad!ns'],
  ])('answers 404 to %s %s', async (method, path) => {
    const { call } = await createFixture()
    const { status, json } = await call(method, path)
    expect([status, json.error]).toEqual([404, 'The requested resource could not be found.'])
  })

  it('answers HEAD with the headers of the 404 and no body', async () => {
    const { call } = await createFixture()
    const { status, text } = await call('HEAD', '~actions')
    expect([status, text]).toEqual([404, ''])
  })

  it.each([
    [`@${'n'.repeat(257)}/actions`, 'Namespace longer than allowed: 257 > 256.'],
    ['@bad!ns/actions', 'The namespace contains illegal characters.'],
    ['~actions/%zz', 'The request path is malformed: illegal percent-encoding'],
    ['~actions?limit=%zz', 'The request query string is malformed: illegal percent-encoding'],
    ['~actions/a%2Fb', 'The name of the entity contains illegal characters.'],
    ['~actions/a%00', 'The name of the entity contains illegal characters.'],
  ])('answers 400 to GET %s', async (path, error) => {
    const { call } = await createFixture()
    const { status, json, headers } = await call('GET', path)
    expect([status, json.error]).toEqual([400, error])
    expect(headers).not.toHaveProperty('access-control-allow-origin')
  })

  it('answers 414 to a path beyond 8 KiB', async () => {
    const { call } = await createFixture()
    expect((await call('GET', `~actions/${'a'.repeat(9000)}`)).status).toBe(414)
  })
})

describe('transaction ids', () => {
  it("takes the caller's id over and puts it into the envelope", async () => {
    const { call } = await createFixture()
    const { json, headers } = await call('GET', '~actions/none', undefined, { headers: { 'x-request-id': 'mine-1' } })
    expect([headers['x-request-id'], json.code]).toEqual(['mine-1', 'mine-1'])
  })

  it.each(['sid_main', 'two words', 'x'.repeat(257)])('draws an id of its own instead of %j', async given => {
    const { call } = await createFixture()
    const { headers } = await call('GET', '/ping', undefined, { headers: { 'x-request-id': given } })
    expect(headers['x-request-id']).toMatch(/^[A-Za-z0-9]{32}$/)
  })
})

describe('Accept', () => {
  it.each([
    ['text/html', 406],
    ['application/json;q=0', 406],
    ['text/html, application/*;q=0.5', 200],
    ['text/html, */*;q=0.1', 200],
    ['*/*, application/json;q=0', 406],
  ])('answers %s with %i', async (accept, status) => {
    const { call } = await createFixture()
    const answer = await call('GET', '~actions', undefined, { headers: { accept } })
    expect(answer.status).toBe(status)
    if (status === 406) {
      expect(answer.json.error).toBe('Resource representation is only available with these types:\napplication/json')
    }
  })
})

describe('operator routes', () => {
  it('names in readyz what is missing', async () => {
    const { call } = await createFixture({ deps: { readiness: () => ['store'] } })
    const { status, json } = await call('GET', '/readyz', undefined, api)
    expect([status, json]).toEqual([503, { ready: false, missing: ['store'] }])
    expect((await call('GET', '/livez', undefined, api)).status).toBe(200)
  })

  it('[sec:S13] answer at a listener of their own only, where operators have one', async () => {
    const { call, controller } = await createFixture({ deps: { ownOperatorDoor: true } })
    const statuses = async (get: (path: string) => Promise<number>) => {
      const found: Record<string, number> = {}
      for (const path of ['/', '/ping', '/livez', '/readyz', '/metrics', '/api/v1']) found[path] = await get(path)
      return found
    }
    expect(await statuses(async path => (await call('GET', path, undefined, api)).status)).toEqual({
      ...{ '/': 200, '/ping': 200, '/api/v1': 200 },
      ...{ '/livez': 405, '/readyz': 405, '/metrics': 405 },
    })
    expect(await statuses(async url => (await controller.operator.inject({ method: 'GET', url })).statusCode)).toEqual({
      ...{ '/': 405, '/ping': 405, '/api/v1': 405 },
      ...{ '/livez': 200, '/readyz': 200, '/metrics': 200 },
    })
  })

  it('counts answers in the metrics', async () => {
    const { call } = await createFixture()
    await call('GET', '~actions')
    const { text } = await call('GET', '/metrics', undefined, api)
    expect(text).toContain('sluice_http_requests_total{method="GET",status="200"} 1')
  })
})

it('keeps both tenants apart on every route that names a namespace', async () => {
  const { call } = await createFixture()
  await call('PUT', '~triggers/t', {}, { as: other })
  for (const [method, path, resource] of [
    ['GET', '@other/triggers/t', 'other/t'],
    ['PUT', '@other/triggers/t', 'other/t'],
    ['DELETE', '@other/triggers/t', 'other/t'],
    ['POST', '@other/triggers/t', 'other/t'],
    ['POST', '@other/triggers/none', 'other/none'],
    ['GET', '@other/rules', 'other'],
    ['POST', '@other/rules/r', 'other/r'],
    ['GET', '@other/limits', 'other'],
    ['GET', '@other/activations', 'other'],
    ['GET', `@other/activations/${'0'.repeat(32)}`, `other/${'0'.repeat(32)}`],
    ['GET', `@other/activations/${'0'.repeat(32)}/settlement`, `other/${'0'.repeat(32)}`],
    ['GET', '@other/deadletters', 'other'],
    ['DELETE', '@other/deadletters/d', 'other/d'],
    ['PUT', '@other/packages/p', 'other/p'],
    ['DELETE', '@other/packages/p', 'other/p'],
  ] as const) {
    const { status, json } = await call(method, path, method === 'GET' ? undefined : {})
    expect([path, status, json.error]).toEqual([
      path,
      403,
      `The supplied authentication is not authorized to access '${resource}'.`,
    ])
  }
})
