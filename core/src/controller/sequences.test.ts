import { describe, expect, it } from 'vitest'
import { createFixture, nodeAction, other, type Fixture } from './testing/fixture.ts'

const sequence = (...components: unknown[]) => ({ exec: { kind: 'sequence', components } })

describe('sequences: definition', () => {
  it('[rest:57] resolves components and keeps them as the only parameters', async () => {
    const { call } = await createFixture()
    await call('PUT', '~actions/a', nodeAction)
    const body = { ...sequence('/_/a', { path: '_', name: 'a' }), parameters: [{ key: 'x', value: 1 }] }
    const { json } = await call('PUT', '~actions/s', body)
    expect(json.exec).toEqual({ kind: 'sequence', components: ['/guest/a', '/guest/a'] })
    expect(json.parameters).toEqual([{ key: '_actions', value: ['/guest/a', '/guest/a'] }])
    const updated = await call('PUT', '~actions/s?overwrite=true', { parameters: [] })
    expect(updated.json.parameters).toEqual(json.parameters)
  })

  it.each([
    ['[rest:58] 51 components', Array(51).fill('/_/a'), 'Too many actions in the sequence.'],
    ['[rest:59] none', [], 'No component specified for the sequence.'],
    ['[rest:60] one that is missing', ['/_/none'], 'Sequence component does not exist.'],
    ['[rest:61] itself', ['/_/s'], 'Sequence may not refer to itself.'],
    ['a trigger', ['/_/t'], 'Sequence component does not exist.'],
    ['51 components after expanding', ['/_/fifty', '/_/a'], 'Too many actions in the sequence.'],
    [
      '[rest:62] a bare name',
      ['bogus'],
      'The request content was malformed:\nrequirement failed: The fully qualified name of the entity must contain at least the namespace and the name of the entity.',
    ],
    ['an empty name', [''], 'The request content was malformed:\nrequirement failed: path undefined'],
    ['a number', [5], 'The request content was malformed:\nfully qualified name malformed'],
    [
      'an illegal name',
      ['/_/bad!'],
      'The request content was malformed:\nrequirement failed: path contains invalid parts ArraySeq(_, bad!)',
    ],
  ])('refuses %s', async (_title, components, error) => {
    const { call } = await createFixture()
    await call('PUT', '~actions/a', nodeAction)
    await call('PUT', '~triggers/t', {})
    await call('PUT', '~actions/fifty', sequence(...Array<string>(50).fill('/_/a')))
    const { status, json } = await call('PUT', '~actions/s', sequence(...components))
    expect([status, json.error]).toEqual([400, error])
  })

  it('refuses components that are missing or no list', async () => {
    const { call } = await createFixture()
    const missing = await call('PUT', '~actions/s', { exec: { kind: 'sequence' } })
    expect(missing.json.error).toContain("'components' must be defined for sequence kind")
    const noList = await call('PUT', '~actions/s', { exec: { kind: 'sequence', components: 'a' } })
    expect(noList.json.error).toContain("'components' must be an array")
  })

  it('refuses a loop through another sequence and through a binding', async () => {
    const { call } = await createFixture()
    await call('PUT', '~packages/p', {})
    await call('PUT', '~packages/b', { binding: { namespace: '_', name: 'p' } })
    await call('PUT', '~actions/a', nodeAction)
    await call('PUT', '~actions/p/s', sequence('/_/a'))
    await call('PUT', '~actions/inner', sequence('/_/b/s'))
    for (const component of ['/_/inner', '/_/b/s']) {
      const { status, json } = await call('PUT', '~actions/p/s?overwrite=true', sequence(component))
      expect([status, json.error]).toEqual([400, 'Sequence may not refer to itself.'])
    }
  })

  it('counts a deep fan of sequences without walking it twice', async () => {
    const { call, artifacts } = await createFixture()
    await call('PUT', '~actions/a', nodeAction)
    await call('PUT', '~actions/l0', sequence('/_/a'))
    for (let level = 1; level <= 5; level++) {
      const before = `/_/l${level - 1}`
      expect((await call('PUT', `~actions/l${level}`, sequence(before, before))).status).toBe(200)
    }
    const { get } = artifacts
    let reads = 0
    artifacts.get = id => (reads++, get(id))
    const { json } = await call('PUT', '~actions/l6', sequence('/_/l5', '/_/l5'))
    expect(json.error).toBe('Too many actions in the sequence.')
    expect(reads).toBeLessThan(30)
  })

  it('asks for the right to read each component', async () => {
    const { call } = await createFixture()
    const foreign = await call('PUT', '~actions/s', sequence('/other/b', '/other/a', '/guest/x'))
    expect(foreign.status).toBe(403)
    expect(foreign.json.error).toBe("The supplied authentication is not authorized to access 'other/a, other/b'.")
    expect((await call('PUT', '~actions/s', sequence('/_/none/a'))).status).toBe(404)
    expect((await call('PUT', '~actions/s', sequence('/_/p/a/b'))).status).toBe(404)
    expect((await call('PUT', '~actions/s', sequence('/other/p/a/b'))).status).toBe(403)
  })

  it('[rest:63] drops the components when it becomes code', async () => {
    const { call } = await createFixture()
    await call('PUT', '~actions/a', nodeAction)
    await call('PUT', '~actions/s', sequence('/_/a'))
    const { json } = await call('PUT', '~actions/s?overwrite=true', nodeAction)
    expect([json.parameters, json.exec.kind]).toEqual([[], 'nodejs:20'])
  })
})

describe('actions in packages', () => {
  it('[rest:64] puts an action into a package', async () => {
    const { call } = await withPackages()
    const { json } = await call('GET', '~actions/p/a')
    expect([json.namespace, json.name]).toEqual(['guest/p', 'a'])
  })

  it.each([
    ['PUT', '~actions/none/a'],
    ['GET', '~actions/none/a'],
    ['DELETE', '~actions/none/a'],
    ['POST', '~actions/none/a'],
    ['GET', '~actions/none/'],
    ['GET', '~actions/default/'],
  ])('[rest:65] answers 404 to %s %s in a missing package', async (method, path) => {
    const { call } = await withPackages()
    const { status, json } = await call(method, path, method === 'GET' ? undefined : nodeAction)
    expect([status, json.error]).toEqual([404, 'The requested resource does not exist.'])
  })

  it.each(['PUT', 'DELETE'])('[rest:66] refuses to %s through a binding', async method => {
    const { call } = await withPackages()
    const { status, json } = await call(method, '~actions/bind/a', nodeAction)
    expect([status, json.error]).toEqual([400, 'Operation not permitted on package binding.'])
  })

  it.each(['PUT', 'DELETE'])('[rest:67] refuses to %s in a foreign package, public or not', async method => {
    const { call } = await withPackages()
    for (const name of ['pub', 'private', 'none']) {
      const { status, json } = await call(method, `@other/actions/${name}/a`, nodeAction)
      expect(status).toBe(403)
      expect(json.error).toBe(`The supplied authentication is not authorized to access 'other/${name}/a'.`)
    }
  })

  it('[rest:68] lists what is in a package', async () => {
    const { call } = await withPackages()
    await call('PUT', '~actions/p/b', nodeAction)
    const { json } = await call('GET', '~actions/p/')
    expect((json as { namespace: string }[]).map(item => item.namespace)).toEqual(['guest/p', 'guest/p'])
    expect((await call('GET', '~actions/p/?count=true&skip=1')).json).toEqual({ actions: 1 })
    expect((await call('GET', '~actions')).json).toHaveLength(2)
  })

  it("[rest:69] lists through a binding what is the provider's", async () => {
    const { call } = await withPackages()
    const { json } = await call('GET', '~actions/bind/')
    expect((json as { namespace: string }[]).map(item => item.namespace)).toEqual(['other/pub'])
  })

  it('[rest:70] tells a package from an action of that name', async () => {
    const { call } = await withPackages()
    expect((await call('GET', '~actions/p')).status).toBe(409)
    await call('PUT', '~actions/plain', nodeAction)
    expect((await call('GET', '~actions/plain/')).status).toBe(409)
    expect((await call('PUT', '~actions/plain/x', nodeAction)).status).toBe(409)
  })

  it('[rest:71] deletes no package on this path', async () => {
    const { call } = await withPackages()
    expect((await call('DELETE', '~actions/p/')).status).toBe(404)
  })

  it('[rest:72] merges parameters of package, binding and action', async () => {
    const { call } = await withPackages()
    const { json } = await call('GET', '~actions/bind/a')
    expect(json.parameters).toEqual([
      { key: 'p', value: 'P' },
      { key: 'x', value: 'action' },
      { key: 'b', value: 'B' },
      { key: 'a', value: 'A' },
    ])
    expect([json.namespace, json.name]).toEqual(['other/pub', 'a'])
    expect((await call('GET', '~actions/bind/a?code=false')).json.binding).toEqual({ namespace: 'guest', name: 'bind' })
  })

  it('[rest:73] refuses a binding whose provider is not shared any more', async () => {
    const { call } = await withPackages()
    await call('PUT', '~packages/pub?overwrite=true', { publish: false }, { as: other })
    for (const [method, path] of [
      ['GET', '~actions/bind/a'],
      ['POST', '~actions/bind/a'],
      ['GET', '~actions/bind/'],
      ['GET', '~packages/bind'],
    ] as const) {
      const { status, json } = await call(method, path)
      expect([status, json.error]).toEqual([
        403,
        "The supplied authentication is not authorized to access 'guest/bind'.",
      ])
    }
  })

  it('[rest:74] lets others read and invoke what is in a public package, nothing else', async () => {
    const { call } = await withPackages()
    expect((await call('GET', '@other/actions/pub/a')).status).toBe(200)
    expect((await call('GET', '@other/actions/pub/')).json).toHaveLength(1)
    expect((await call('GET', '@other/actions/pub/none')).status).toBe(404)
    for (const path of ['@other/actions/private/a', '@other/actions/none/a', '@other/actions/bound/a']) {
      expect((await call('GET', path)).status).toBe(403)
      expect((await call('POST', path)).status).toBe(403)
    }
  })

  it('says so when a binding leads to itself', async () => {
    const { call, artifacts } = await withPackages()
    const stored = await artifacts.get('guest/bind')
    const looped = { ...stored!.document, binding: { namespace: 'guest', name: 'bind' } }
    await artifacts.put('guest/bind', looped, stored!.revision)
    const { status, json } = await call('GET', '~actions/bind/a')
    expect([status, json.error]).toEqual([422, "Package binding 'guest/bind' contains a circular reference."])
  })
})

/** `guest` has the package `p` and the binding `bind`, `other` a public, a private and a bound package. */
async function withPackages(): Promise<Fixture> {
  const fixture = await createFixture()
  const { call } = fixture
  const parameter = (key: string, value: string) => ({ key, value })
  await call(
    'PUT',
    '~packages/pub',
    { publish: true, parameters: [parameter('p', 'P'), parameter('x', 'package')] },
    { as: other },
  )
  const parameters = [parameter('a', 'A'), parameter('x', 'action')]
  await call('PUT', '~actions/pub/a', { ...nodeAction, parameters }, { as: other })
  await call('PUT', '~packages/private', {}, { as: other })
  await call('PUT', '~actions/private/a', nodeAction, { as: other })
  await call('PUT', '~packages/bound', { publish: true, binding: { namespace: '_', name: 'private' } }, { as: other })
  await call('PUT', '~packages/p', {})
  await call('PUT', '~actions/p/a', nodeAction)
  const bound = [parameter('b', 'B'), parameter('x', 'binding')]
  await call('PUT', '~packages/bind', { binding: { namespace: 'other', name: 'pub' }, parameters: bound })
  return fixture
}
