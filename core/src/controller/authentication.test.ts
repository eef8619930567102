import { describe, expect, it } from 'vitest'
import { mintActionKey, type SubjectDocument } from '../model/index.ts'
import { systemClock } from '../spi/index.ts'
import { ensureIdentity, subjectId } from './identities.ts'
import { createFixture, guest, type Fixture } from './testing/fixture.ts'

async function changeGuest(
  { artifacts }: Fixture,
  change: (subject: SubjectDocument) => SubjectDocument,
): Promise<void> {
  const stored = await artifacts.get(subjectId('guest'))
  const changed = change(stored?.document as unknown as SubjectDocument)
  await artifacts.put(subjectId('guest'), changed, stored?.revision)
}

describe('authentication', () => {
  it.each([
    ['a bearer token', 'Bearer abc', 'was not supplied'],
    ['what is not base64', 'Basic !!!', 'was not supplied'],
    ['nothing behind the scheme', 'Basic', 'was not supplied'],
    ['no colon', `Basic ${Buffer.from('nocolon').toString('base64')}`, 'is invalid'],
    ['no uuid', `Basic ${Buffer.from(`:${guest.key}`).toString('base64')}`, 'is invalid'],
    [
      'a doubled credential',
      `Basic ${Buffer.from(`${guest.uuid}:${guest.key}${guest.key}`).toString('base64')}`,
      'is invalid',
    ],
    ['a long header', `Basic ${'A'.repeat(8000)}`, 'is invalid'],
  ])('refuses %s', async (_title, authorization, text) => {
    const { call } = await createFixture()
    const { status, json } = await call('GET', '~actions', undefined, { as: null, headers: { authorization } })
    expect(status).toBe(401)
    expect(json.error).toContain(text)
  })

  it('takes a lower-case scheme', async () => {
    const { call } = await createFixture()
    const authorization = `basic ${Buffer.from(`${guest.uuid}:${guest.key}`).toString('base64')}`
    expect((await call('GET', '~actions', undefined, { as: null, headers: { authorization } })).status).toBe(200)
  })

  it('locks a blocked subject out at once, though it was known', async () => {
    const fixture = await createFixture()
    expect((await fixture.call('GET', '~actions')).status).toBe(200)
    await changeGuest(fixture, subject => ({ ...subject, blocked: true }))
    const { status, json } = await fixture.call('GET', '~actions')
    expect([status, json.error]).toEqual([401, 'The supplied authentication is invalid'])
  })

  it('forgets a key that was replaced', async () => {
    const fixture = await createFixture()
    await fixture.call('GET', '~actions')
    await ensureIdentity(fixture.deps, { ...guest, key: 'n'.repeat(64) })
    expect((await fixture.call('GET', '~actions')).status).toBe(401)
    expect((await fixture.call('GET', '~actions', undefined, { as: { ...guest, key: 'n'.repeat(64) } })).status).toBe(
      200,
    )
  })

  it('sees changed limits at once', async () => {
    const { call, setLimits } = await createFixture()
    expect((await call('GET', '~limits')).json.firesPerMinute).toBe(60)
    await setLimits('guest', { firesPerMinute: 7 })
    expect((await call('GET', '~limits')).json.firesPerMinute).toBe(7)
    await setLimits('guest', { firesPerMinute: 'x' } as never)
    expect((await call('GET', '~limits')).json.firesPerMinute).toBe(60)
  })

  it('keeps nothing of a look-up that a change overtook', async () => {
    const fixture = await createFixture()
    const { identityByUuid } = fixture.artifacts
    fixture.artifacts.identityByUuid = async uuid => {
      const stored = await identityByUuid(uuid)
      fixture.artifacts.identityByUuid = identityByUuid
      await changeGuest(fixture, subject => ({ ...subject, blocked: true }))
      return stored
    }
    await fixture.call('GET', '~actions')
    expect((await fixture.call('GET', '~actions')).status).toBe(401)
  })

  it('takes the clear key of a database that OpenWhisk wrote', async () => {
    const fixture = await createFixture()
    await changeGuest(fixture, subject => ({
      ...subject,
      namespaces: [{ name: 'guest', uuid: guest.uuid, key: guest.key }],
    }))
    expect((await fixture.call('GET', '~actions')).status).toBe(200)
    expect((await fixture.call('GET', '~actions', undefined, { as: { ...guest, key: 'x'.repeat(64) } })).status).toBe(
      401,
    )
  })

  it("takes an action's short-lived key until it expires", async () => {
    const fixture = await createFixture()
    const key = (expiresAtMs: number) => mintActionKey(guest.uuid, expiresAtMs, text => fixture.deps.keyRing.hash(text))
    const nowMs = systemClock.nowMs()
    const call = (as: typeof guest) => fixture.call('GET', '~actions', undefined, { as })
    expect((await call({ ...guest, key: key(nowMs + 60_000) })).status).toBe(200)
    expect((await call({ ...guest, key: key(nowMs - 1) })).status).toBe(401)
    expect(
      (await call({ ...guest, uuid: '22222222-2222-4222-8222-222222222222', key: key(nowMs + 60_000) })).status,
    ).toBe(401)
  })

  it('refuses an action key with the same words when its subject is blocked', async () => {
    const fixture = await createFixture()
    await changeGuest(fixture, subject => ({ ...subject, blocked: true }))
    const key = mintActionKey(guest.uuid, systemClock.nowMs() + 60_000, text => fixture.deps.keyRing.hash(text))
    expect((await fixture.call('GET', '~actions', undefined, { as: { ...guest, key } })).status).toBe(401)
  })
})

describe('ensureIdentity', () => {
  it('writes once, hashed, and never again for the same credential', async () => {
    const fixture = await createFixture()
    const identity = {
      subject: 'third',
      namespace: 'third',
      uuid: '33333333-3333-4333-8333-333333333333',
      key: 't'.repeat(64),
    }
    expect(await ensureIdentity(fixture.deps, identity)).toBe(true)
    expect(await ensureIdentity(fixture.deps, identity)).toBe(false)
    const stored = await fixture.artifacts.get(subjectId('third'))
    expect(JSON.stringify(stored)).not.toContain(identity.key)
    expect(stored?.document['namespaces']).toHaveLength(1)
  })

  it('adds a second credential to a namespace and leaves the first', async () => {
    const fixture = await createFixture()
    const second = { ...guest, uuid: '55555555-5555-4555-8555-555555555555', key: 's'.repeat(64) }
    await ensureIdentity(fixture.deps, second)
    for (const as of [guest, second]) {
      expect((await fixture.call('GET', '/api/v1/namespaces', undefined, { as })).json).toEqual(['guest'])
    }
  })

  it('adds a namespace to a subject and leaves the others', async () => {
    const fixture = await createFixture()
    const more = { ...guest, namespace: 'more', uuid: '44444444-4444-4444-8444-444444444444', key: 'm'.repeat(64) }
    await ensureIdentity(fixture.deps, more)
    expect((await fixture.call('GET', '/api/v1/namespaces', undefined, { as: more })).json).toEqual(['more'])
    expect((await fixture.call('GET', '/api/v1/namespaces')).json).toEqual(['guest'])
  })
})
