import { describe, expect, it, onTestFinished } from 'vitest'
import type { Parameters } from '../feed.ts'
import type { LifecycleAnswer } from '../lifecycle.ts'
import { openHarness, type Harness, type HarnessOptions } from './harness.ts'

/** What the suite must know about a provider. */
export type FeedUnderTest = {
  name: string
  setUp(): HarnessOptions
  /** A CREATE that is right; of one that delivers whatever happens during a pause. */
  valid: Parameters
  /** A CREATE that its checks refuse. */
  invalid: Parameters
  /** An UPDATE of one parameter, and how READ's config shows it afterwards. */
  update: { parameters: Parameters; shown: Record<string, unknown> }
  noUpdatable: string
  /** The answer to a CREATE whose trigger does not exist. */
  unauthorized: { status: number; text: string }
  /** Lets the source of every subscription have `count` events. */
  produce(harness: Harness, count: number): Promise<void>
  /** A secret parameter, if the feed has one. */
  secret?: { name: string; value: string }
}

/** Every provider passes this suite (feeds.md §6.0). Read the test names: they are the specification. */
export function feedContract(feed: FeedUnderTest): void {
  async function open(options: Partial<HarnessOptions> = {}): Promise<Harness> {
    const harness = await openHarness({ ...feed.setUp(), lifecyclePerMinute: Infinity, ...options })
    onTestFinished(() => harness.close())
    return harness
  }

  async function created(): Promise<Harness> {
    const harness = await open()
    expect(await harness.call('CREATE', feed.valid)).toMatchObject({ status: 200, body: { status: 'success' } })
    return harness
  }

  describe(`feed: ${feed.name}`, () => {
    it.each(['/_/T', 'T', '_/T', '/guest/T', 'guest/T'])(
      '[feed:P1] [feed:P2] takes the trigger name %s',
      async triggerName => {
        const harness = await open()
        expect((await harness.call('CREATE', { ...feed.valid, triggerName })).status).toBe(200)
        expect(await subscriptions(harness)).toEqual(['guest:T'])
      },
    )

    it('[feed:P3] takes a trigger name with blanks and signs, and encodes it', async () => {
      const harness = await open()
      harness.core.triggers.set('guest/my trigger@x', { rules: new Set(), annotations: [] })
      const triggerName = '/guest/my trigger@x'
      expect((await harness.call('CREATE', { ...feed.valid, triggerName })).status).toBe(200)
      expect(harness.core.calls).toContain('GET /api/v1/namespaces/guest/triggers/my%20trigger%40x')
    })

    it('[feed:P4] stores nothing for a trigger that the key may not use', async () => {
      const harness = await open()
      harness.core.triggers.set('other/T', { rules: new Set(), annotations: [] })
      const answer = await harness.call('CREATE', { ...feed.valid, triggerName: '/other/T' })
      expect(answer.status).toBe(feed.unauthorized.status === 404 ? 403 : feed.unauthorized.status)
      expect(await subscriptions(harness)).toEqual([])
    })

    it.each([undefined, '', 'nocolon', 7])('[feed:P5] refuses the authKey %s', async authKey => {
      const harness = await open()
      const answer = await harness.call('CREATE', { ...feed.valid, authKey })
      expect(answer.status).toBe(400)
      expect(textOf(answer)).toBe('no valid authKey parameter was provided')
    })

    it('[feed:P6] refuses a trigger that does not exist', async () => {
      const harness = await open()
      harness.core.triggers.clear()
      const answer = await harness.call('CREATE', feed.valid)
      expect({ status: answer.status, text: textOf(answer) }).toEqual(feed.unauthorized)
      expect(await subscriptions(harness)).toEqual([])
    })

    it('[feed:P6] asks again when the hub fails, and gives up after three times', async () => {
      const harness = await open()
      let asked = 0
      harness.core.onCall = () => (++asked === 3 ? 'default' : { status: 503 })
      const first = harness.call('CREATE', feed.valid)
      await harness.advance(2000, 100)
      expect((await first).status).toBe(200)
      harness.core.onCall = () => ({ status: 503 })
      const second = harness.call('CREATE', feed.valid)
      await harness.advance(2000, 100)
      expect((await second).status).toBe(feed.unauthorized.status === 404 ? 503 : feed.unauthorized.status)
    })

    it('[feed:P7] takes a second CREATE as a change of the one subscription', async () => {
      const harness = await created()
      const before = await documentOf(harness)
      await harness.call('CREATE', feed.valid)
      const after = await documentOf(harness)
      expect(after.subId).toBe(before.subId)
      expect(after.generation).toBe(before.generation + 1)
      await feed.produce(harness, 3)
      const ids = harness.core.fires.map(fire => fire.headers['ce-id'])
      expect(ids).toHaveLength(3)
      expect(new Set(ids).size).toBe(3)
    })

    it('[feed:P8] lets the DELETE succeed that follows a CREATE that failed', async () => {
      const harness = await open()
      expect((await harness.call('CREATE', feed.invalid)).status).toBe(400)
      expect(await harness.call('DELETE', feed.invalid)).toEqual({ status: 200, body: { status: 'success' } })
      expect(await harness.state.dump('')).toEqual([])
    })

    it('[feed:P9] lets a DELETE of nothing succeed', async () => {
      const harness = await open()
      expect(await harness.call('DELETE')).toEqual({ status: 200, body: { status: 'success' } })
    })

    it('[feed:P10] deletes although the trigger is gone', async () => {
      const harness = await created()
      harness.core.triggers.clear()
      expect((await harness.call('DELETE')).status).toBe(200)
      expect(await subscriptions(harness)).toEqual([])
      await feed.produce(harness, 2)
      expect(harness.core.fires).toEqual([])
    })

    it('[feed:P11] keeps the subscription when the key is not known', async () => {
      const harness = await created()
      const answer = await harness.call('DELETE', { authKey: 'wrong:key' })
      expect(answer.status).toBe(401)
      expect(await subscriptions(harness)).toEqual(['guest:T'])
    })

    it('[feed:P12] answers within 45 s when the hub hangs, and leaves nothing behind', async () => {
      const harness = await open()
      harness.core.onCall = () => new Promise(() => undefined)
      const answer = harness.call('CREATE', feed.valid)
      await harness.advance(45_000)
      expect((await answer).status).toBeGreaterThanOrEqual(400)
      expect(await subscriptions(harness)).toEqual([])
      await feed.produce(harness, 2)
      expect(harness.core.fires).toEqual([])
    })

    it('[feed:P13] lets a DELETE win over a CREATE that is under way', async () => {
      const harness = await open()
      let release: (answer: 'default') => void = () => undefined
      harness.core.onCall = () => new Promise(resolve => (release = resolve))
      const create = harness.call('CREATE', feed.valid)
      await harness.settle()
      harness.core.onCall = () => 'default'
      expect((await harness.call('DELETE')).status).toBe(200)
      release('default')
      const answer = await create
      expect({ status: answer.status, text: textOf(answer) }).toEqual({ status: 409, text: 'superseded' })
      await harness.settle()
      expect(await subscriptions(harness)).toEqual([])
    })

    it('[feed:P14] refuses an UPDATE of nothing and changes nothing', async () => {
      const harness = await created()
      const before = await documentOf(harness)
      const answer = await harness.call('UPDATE', { nonsense: 1 })
      expect({ status: answer.status, text: textOf(answer) }).toEqual({ status: 400, text: feed.noUpdatable })
      expect(await documentOf(harness)).toEqual(before)
    })

    it('[feed:P15] changes one parameter and no other', async () => {
      const harness = await created()
      const before = await harness.read()
      expect((await harness.call('UPDATE', feed.update.parameters)).status).toBe(200)
      const after = await harness.read()
      expect(after.config).toEqual({ ...before.config, ...feed.update.shown })
    })

    it('[feed:P16] starts again on UPDATE what was disabled automatically', async () => {
      const harness = await created()
      await disabledByItself(harness)
      expect((await harness.call('UPDATE', feed.update.parameters)).status).toBe(200)
      const { status } = await harness.read()
      expect(status.active).toBe(true)
      expect(status).not.toHaveProperty('reason')
    })

    it('[feed:P17] refuses an UPDATE of what an admin disabled', async () => {
      const harness = await created()
      await setStatus(harness, { active: false, dateChanged: 1, reason: { kind: 'ADMIN', message: 'abuse' } })
      const answer = await harness.call('UPDATE', feed.update.parameters)
      expect(answer.status).toBe(400)
      expect(textOf(answer)).toMatch(/disabled by an admin/)
    })

    it('[feed:P18] delivers after a pause what happened meanwhile, in order', async () => {
      const harness = await created()
      await harness.call('PAUSE')
      expect((await harness.read()).status).toMatchObject({ active: false, reason: { kind: 'USER' } })
      await feed.produce(harness, 10)
      expect(harness.core.fires).toEqual([])
      await harness.call('UNPAUSE')
      await harness.settle()
      const sequences = harness.core.fires.map(fire => fire.headers['ce-sequence'] ?? '')
      expect(sequences).toHaveLength(10)
      expect(sequences).toEqual([...sequences].sort())
    })

    it('[feed:P19] takes a second PAUSE and an UNPAUSE of what runs as done', async () => {
      const harness = await created()
      await harness.call('PAUSE')
      const paused = await harness.read()
      await harness.advance(5000)
      expect(await harness.call('PAUSE')).toEqual({ status: 200, body: { status: 'success' } })
      expect((await harness.read()).status).toEqual(paused.status)
      await harness.call('UNPAUSE')
      const running = await harness.read()
      await harness.advance(500)
      expect(await harness.call('UNPAUSE')).toEqual({ status: 200, body: { status: 'success' } })
      expect((await harness.read()).status).toEqual(running.status)
    })

    it('[feed:P20] shows config and status on READ', async () => {
      const harness = await created()
      const { config, status } = await harness.read()
      expect(config).toMatchObject({ name: 'T', namespace: 'guest' })
      expect(status.active).toBe(true)
      expect(status).not.toHaveProperty('reason')
      expect(status.dateChangedISO).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      expect(Date.parse(status.dateChangedISO)).toBe(Math.floor(status.dateChanged / 1000) * 1000)
    })

    const { secret } = feed
    if (secret) {
      it('[feed:P21] masks a secret', async () => {
        const harness = await created()
        expect((await harness.read()).config[secret.name]).toBe('********')
        expect(JSON.stringify(await harness.state.dump(''))).not.toContain(secret.value)
      })

      it('[feed:P22] takes the mask in an UPDATE for no change', async () => {
        const harness = await created()
        const before = (await documentOf(harness)).secrets
        await harness.call('UPDATE', { ...feed.update.parameters, [secret.name]: '********' })
        expect((await documentOf(harness)).secrets[secret.name]).toBe(before[secret.name])
      })
    }

    it.each(['FOO', undefined, 'create'])('[feed:P23] [feed:P24] refuses the lifecycleEvent %s', async event => {
      const harness = await open()
      expect(await harness.call(event)).toEqual({ status: 400, body: { error: 'unsupported lifecycleEvent' } })
    })

    it('[feed:P25] disables itself at the first fire at a trigger that is gone', async () => {
      const harness = await created()
      await disabledByItself(harness)
      const { status } = await harness.read()
      expect(status.reason).toEqual({
        kind: 'AUTO',
        statusCode: 404,
        message: 'Trigger automatically disabled: Received a 404 status code when firing the trigger',
      })
      expect(harness.core.fires).toHaveLength(1)
    })

    it('[feed:P26] keeps firing at a trigger that was written anew without its annotation, and warns of it', async () => {
      const harness = await created()
      const { annotations = [] } = harness.core.triggers.get('guest/T') ?? {}
      const write = (...written: unknown[]) =>
        harness.core.triggers.set('guest/T', { rules: new Set(), annotations: written })
      const warnings = async () => (await harness.read()).stats.warnings
      expect(await warnings()).toBeUndefined()
      write()
      await feed.produce(harness, 2)
      expect(harness.core.fires.map(fire => fire.status)).toEqual([202, 202])
      expect((await harness.read()).status.active).toBe(true)
      const text =
        "the trigger has no annotation 'feed' that names this feed: deleting it will not end the subscription"
      const [own] = annotations as { key: string; value: string }[]
      for (const other of [
        { ...own, key: 'food' },
        { key: 'feed', value: '/whisk.system/a/b' },
        { key: 'feed' },
        null,
      ]) {
        write(other)
        expect(await warnings()).toEqual([text])
      }
      write({ key: 'feed', value: own?.value.replace(/^.*\//, '/guest/mine/') })
      expect(await warnings()).toBeUndefined()
    })

    it('[feed:P27] disables nothing when the hub answers 403 for a minute after a restart', async () => {
      const harness = await open()
      const names = Array.from({ length: 9 }, (_, index) => `T${index}`)
      for (const name of [...names, 'T']) {
        harness.core.triggers.set(`guest/${name}`, { rules: new Set(), annotations: [] })
        expect((await harness.call('CREATE', { ...feed.valid, triggerName: name })).status).toBe(200)
      }
      await harness.restart()
      const refusedUntilMs = harness.clock.nowMs() + 60_000
      harness.core.onFire = () => ({ status: harness.clock.nowMs() < refusedUntilMs ? 403 : 202 })
      await feed.produce(harness, 2)
      await harness.advance(90_000, 2000)
      const delivered = new Set(harness.core.fires.filter(fire => fire.status === 202).map(fire => fire.trigger))
      expect(delivered.size).toBe(10)
      expect((await statuses(harness)).filter(status => !status.active)).toEqual([])
    })

    it('[feed:P29] keeps keys and secrets out of logs, answers, ids and stored documents', async () => {
      const harness = await created()
      harness.core.onFire = (_fire, count) => (count % 2 ? { status: 400 } : { status: 500 })
      const seen = [
        await harness.call('CREATE', feed.invalid),
        await harness.call('UPDATE', { nonsense: 1 }),
        await harness.read(),
        await harness.call('DELETE', { authKey: 'wrong:marker-secret' }),
      ]
      await feed.produce(harness, 3)
      await harness.advance(120_000, 2000)
      await harness.restart()
      seen.push(await harness.read(), await harness.call('DELETE'))
      const everything = JSON.stringify([seen, harness.log.lines, harness.core.calls, await harness.state.dump('')])
      expect(everything).not.toContain('marker-secret')
      if (secret) expect(everything).not.toContain(secret.value)
    })

    it('[feed:P30] obeys a lifecycleEvent that the user overrode, and the authority check still decides', async () => {
      const harness = await created()
      const refused = await harness.call('CREATE', { lifecycleEvent: 'DELETE', authKey: 'wrong:key' })
      expect(refused.status).toBe(401)
      expect((await harness.call('CREATE', { lifecycleEvent: 'DELETE' })).status).toBe(200)
      expect(await subscriptions(harness)).toEqual([])
    })

    it('goes on after a restart where it was', async () => {
      const harness = await created()
      await feed.produce(harness, 2)
      await harness.restart()
      await feed.produce(harness, 2)
      const ids = harness.core.fires.map(fire => fire.headers['ce-id'])
      expect(ids).toHaveLength(4)
      expect(new Set(ids).size).toBe(4)
    })

    it('warns of a parameter whose name nearly is one', async () => {
      const harness = await open()
      const answer = await harness.call('CREATE', { ...feed.valid, maxAtempts: 3 })
      expect(answer.body).toEqual({ status: 'success', warnings: ["unknown parameter 'maxAtempts'"] })
    })
  })

  async function disabledByItself(harness: Harness): Promise<void> {
    harness.core.triggers.clear()
    await feed.produce(harness, 2)
    harness.core.triggers.set('guest/T', { rules: new Set(), annotations: [] })
    expect((await harness.read()).status.active).toBe(false)
  }
}

type Document = {
  subId: string
  generation: number
  status: { active: boolean; reason?: unknown }
  secrets: Record<string, string>
}

async function documents(harness: Harness): Promise<[string, Document][]> {
  const entries = await harness.state.dump('')
  return entries
    .filter(({ key }) => key.includes('/sub/'))
    .map(({ key, value }) => [key.split('/sub/')[1] ?? '', value as Document])
}

async function subscriptions(harness: Harness): Promise<string[]> {
  return (await documents(harness)).map(([id]) => id)
}

async function documentOf(harness: Harness): Promise<Document> {
  return new Map(await documents(harness)).get('guest:T')!
}

async function statuses(harness: Harness): Promise<Document['status'][]> {
  return (await documents(harness)).map(([, { status }]) => status)
}

/** As an operator does, in the store. */
async function setStatus(harness: Harness, status: object): Promise<void> {
  for (const { key, value, revision } of await harness.state.dump('')) {
    if (key.includes('/sub/')) await harness.state.put(key, { ...(value as object), status }, revision)
  }
}

function textOf(answer: LifecycleAnswer): unknown {
  const { error } = answer.body
  return typeof error === 'object' && error !== null ? (error as { error: unknown }).error : error
}
