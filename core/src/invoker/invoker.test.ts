import { describe, expect, it, vi } from 'vitest'
import { topics, type ActivationRecord } from '../model/index.ts'
import { systemClock } from '../spi/index.ts'
import { deadLetterKey } from './dead-letters.ts'
import { unstartedRecord } from './run-record.ts'
import {
  direct,
  fromRule,
  hangingRun,
  invokerBackends,
  publish,
  putAction,
  scratch,
  setUp,
} from './testing/invoker-rig.ts'

describe('the invoker', () => {
  it('runs a direct invoke: init, run, and a durable record before the outcome', async () => {
    const { invoker, factory, backend } = await setUp()
    factory.answer = path => ({ text: path === '/run' ? '{"x":1}' : '{"OK":true}' })
    const message = direct('a'.repeat(32), { content: '{"name":"you"}' })
    const record = await invoker.run(message).outcome
    expect(record.response).toEqual({ statusCode: 0, result: { x: 1 }, size: 7 })
    expect(await backend.activations.get('ns', message.activationId)).toEqual(record)
    expect(factory.calls.map(({ path }) => path)).toEqual(['/init', '/run'])
    expect(factory.calls[1]?.body).toMatchObject({
      value: { name: 'you' },
      action_name: '/ns/hello',
      activation_id: message.activationId,
    })
  })

  it('is ready while containers of an earlier start are still being removed', async () => {
    const { invoker } = await setUp(scratch(), { cleanup: () => new Promise(() => undefined) })
    expect((await invoker.run(direct('a'.repeat(32))).outcome).response.statusCode).toBe(0)
  })

  it('starts although what an earlier start left cannot be removed', async () => {
    const { invoker } = await setUp(scratch(), { cleanup: () => Promise.reject(new Error('the engine is away')) })
    expect((await invoker.run(direct('a'.repeat(32))).outcome).response.statusCode).toBe(0)
  })

  it('[sec:S10] lets feed actions of the system reach the public API where other actions reach nothing', async () => {
    const { invoker, factory, backend } = await setUp(scratch(), { egress: 'none' })
    const feed = { annotations: [{ key: 'feed', value: true }] }
    await putAction(backend, 'feed', feed)
    for (const name of ['feed', 'echo']) await putAction(backend, name, name === 'feed' ? feed : {}, 'whisk.system')
    const ids = ['ns/hello', 'ns/feed', 'whisk.system/echo', 'whisk.system/feed']
    for (const [index, id] of ids.entries()) {
      const message = direct(String(index).repeat(32), { action: { id, version: '0.0.1', revision: '' } })
      expect((await invoker.run(message).outcome).response.statusCode).toBe(0)
    }
    expect(factory.created.map(({ egress }) => egress)).toEqual(['none', 'none', 'none', 'platform'])
  })

  it('marks the cold start by initTime, and a warm run by its absence', async () => {
    const { invoker } = await setUp()
    const keys = (record: ActivationRecord): string[] => record.annotations.map(({ key }) => key)
    expect(keys(await invoker.run(direct('a'.repeat(32))).outcome)).toContain('initTime')
    expect(keys(await invoker.run(direct('b'.repeat(32))).outcome)).not.toContain('initTime')
  })

  it('gives no api key unless the action asks for one', async () => {
    const { invoker, factory } = await setUp()
    await invoker.run(direct('a'.repeat(32))).outcome
    expect(factory.calls.at(-1)?.body).not.toHaveProperty('api_key')
    await putAction(invokerBackends.get(invoker), 'asking', { annotations: [] })
    await invoker.run(direct('b'.repeat(32), { action: { id: 'ns/asking', version: '0.0.1', revision: '' } })).outcome
    expect(factory.calls.at(-1)?.body.api_key).toMatch(/^uuid:[A-Za-z0-9]{64}$/)
  })

  it.each([
    ['nodejs:20', undefined, 2],
    ['blackbox', 'native', 2],
    ['blackbox', 'user/image:1', 0],
  ])('[runtime:MAN-09] of %s with the image %s awaits %i sentinels', async (kind, image, sentinels) => {
    const { invoker, factory } = await setUp()
    const exec = { kind, image, code: 'code', binary: false }
    await putAction(invokerBackends.get(invoker), 'shown', { exec })
    const action = { id: 'ns/shown', version: '0.0.1', revision: '' }
    expect((await invoker.run(direct('a'.repeat(32), { action })).outcome).response.statusCode).toBe(0)
    expect(factory.awaitedSentinels).toEqual([sentinels])
  })

  it('splits init parameters from the arguments and opens locked ones', async () => {
    const { invoker, factory } = await setUp()
    const message = direct('a'.repeat(32), {
      content: '{"plain":1,"secret":"locked:\\"open\\"","NUM":5}',
      initArgs: ['NUM'],
      lockedArgs: [{ key: 'secret', bind: 'b' }],
    })
    await invoker.run(message).outcome
    expect(factory.calls[0]?.body.value.env).toMatchObject({ NUM: '5' })
    expect(factory.calls[1]?.body.value).toEqual({ plain: 1, secret: 'open' })
  })

  it.each([
    ['gone', 1, 'Action could not be found or may have been deleted.'],
    ['sequence', 3, 'Action version is not compatible and cannot be invoked.'],
  ])('an action that is %s gets its record', async (id, statusCode, error) => {
    const { invoker } = await setUp()
    const { outcome } = invoker.run(
      direct('a'.repeat(32), { action: { id: `ns/${id}`, version: '0.0.1', revision: '' } }),
    )
    expect((await outcome).response).toEqual({ statusCode, result: { error } })
  })

  it('destroys a container after a developer error and keeps it after an application error', async () => {
    const { invoker, factory } = await setUp()
    factory.answer = path => ({ text: path === '/run' ? '{"error":"mine"}' : '{}' })
    expect((await invoker.run(direct('a'.repeat(32))).outcome).response.statusCode).toBe(1)
    expect(factory.destroyed).toBe(0)
    factory.answer = () => ({ hangUp: true })
    const lost = await invoker.run(direct('b'.repeat(32))).outcome
    expect(lost.response).toMatchObject({
      statusCode: 2,
      result: { error: 'The action did not produce a valid response and exited unexpectedly.' },
    })
    expect(factory.destroyed).toBe(1)
  })

  it('a container that cannot be started is a whisk error of a direct invoke, never run again', async () => {
    const { invoker, factory } = await setUp()
    factory.failStarts = 1
    const record = await invoker.run(direct('a'.repeat(32))).outcome
    expect(record.response).toEqual({
      statusCode: 3,
      result: { error: 'Failed to provision resources to run the action.' },
    })
    expect(factory.calls).toEqual([])
  })

  it('tries a rule-fired run three times when the platform fails, then keeps a dead letter and a record [promise:P6]', async () => {
    const { invoker, factory, backend, recorded } = await setUp()
    factory.failStarts = 3
    const message = fromRule('c'.repeat(32))
    await publish(backend, message)
    const record = await recorded(message.activationId)
    expect(record.sluice).toMatchObject({ deadLettered: true, attempt: 3, rule: 'ns/r' })
    expect(record.response.statusCode).toBe(3)
    expect((await backend.state.get(deadLetterKey('ns', message.activationId)))?.value).toMatchObject({
      attempts: 3,
      action: 'ns/hello',
    })
    void invoker
  })

  it('runs a rule-fired message once although it comes twice [promise:P4]', async () => {
    const { factory, backend, recorded } = await setUp()
    const message = fromRule('d'.repeat(32))
    await publish(backend, message, message)
    await recorded(message.activationId)
    const later = fromRule('e'.repeat(32))
    await publish(backend, message, later)
    await recorded(later.activationId)
    const ran = factory.calls.filter(({ path }) => path === '/run').map(({ body }) => body.activation_id)
    expect(ran).toEqual([message.activationId, later.activationId])
  })

  it('runs an invoke with an id of its sender once although it comes twice [rel:R22]', async () => {
    const { factory, backend, recorded } = await setUp()
    const message = direct('d'.repeat(32), { origin: { kind: 'direct', identified: true } })
    await publish(backend, message, message)
    await recorded(message.activationId)
    const later = direct('e'.repeat(32))
    await publish(backend, message, later)
    await recorded(later.activationId)
    const ran = factory.calls.filter(({ path }) => path === '/run').map(({ body }) => body.activation_id)
    expect(ran).toEqual([message.activationId, later.activationId])
  })

  it('after a crash records a direct invoke in flight as lost, and runs a rule-fired one again under its id [platform:I2] [promise:P6]', async () => {
    const directory = scratch()
    const first = await setUp(directory)
    const reached = new Promise<void>(done => {
      let runs = 0
      first.factory.answer = path => {
        if (path !== '/run') return {}
        if (++runs === 2) done()
        return new Promise(() => undefined)
      }
    })
    const lost = direct('1'.repeat(32))
    const again = fromRule('2'.repeat(32))
    first.invoker.run(lost).outcome.catch(() => undefined)
    await publish(first.backend, again)
    await reached
    await first.crash()

    const second = await setUp(directory)
    const record = await second.recorded(again.activationId)
    expect(record.response.statusCode).toBe(0)
    expect(record.sluice?.attempt).toBe(2)
    expect(second.factory.calls.at(-1)?.body).toMatchObject({ activation_id: again.activationId, sluice_attempt: '2' })
    expect((await second.backend.activations.get('ns', lost.activationId))?.response).toEqual({
      statusCode: 3,
      result: { error: 'The outcome of the run was lost because the invoker stopped while it was in progress.' },
    })
    expect(second.factory.calls.filter(({ path }) => path === '/run')).toHaveLength(1)
  })

  it('tells of a redelivered message whose run has its record already, and of no other', async () => {
    const directory = scratch()
    const first = await setUp(directory)
    // Nothing runs: what is published stays open, as at a crash between the record and its settlement.
    first.factory.answer = path => (path === '/run' ? new Promise(() => undefined) : {})
    const done = fromRule('1'.repeat(32))
    const open = fromRule('2'.repeat(32))
    await publish(first.backend, done, open)
    await vi.waitFor(() => expect(first.factory.calls.filter(({ path }) => path === '/run')).toHaveLength(2))
    const record = await first.backend.activations.insert(unstartedRecord(done, { statusCode: 0, result: {} }, 1, 1))
    expect(record).toBe('inserted')
    await first.crash()

    const repeated: string[] = []
    const second = await setUp(directory, { repeated: ({ activationId }) => repeated.push(activationId) })
    await second.recorded(open.activationId)
    await vi.waitFor(() => expect(repeated).toEqual([done.activationId]))
  })

  it('after a crash runs what only waited for a container, and says lost only of what was sent [promise:P6]', async () => {
    const directory = scratch()
    const first = await setUp(directory, { userMemoryMb: 256 })
    const { sent } = hangingRun(first.factory)
    const lost = direct('1'.repeat(32), { blocking: false })
    const waiting = direct('2'.repeat(32), { blocking: false })
    await publish(first.backend, lost)
    await sent
    await publish(first.backend, waiting)
    await vi.waitFor(() => expect(first.invoker.stats().queued).toBe(1))
    // Whatever was written before this is on the disk after it.
    await first.backend.state.put('later', 1, 'any')
    await first.crash()

    const second = await setUp(directory, { userMemoryMb: 256 })
    const record = await second.recorded(waiting.activationId)
    expect(record.response.statusCode).toBe(0)
    const { response } = (await second.backend.activations.get('ns', lost.activationId)) ?? {}
    expect(response?.result).toEqual({ error: expect.stringContaining('outcome of the run was lost') })
  })

  it('counts no attempt of a rule-fired run that only waited when the process died [promise:P6]', async () => {
    const directory = scratch()
    const waiting = fromRule('9'.repeat(32))
    for (let times = 0; times < 5; times++) {
      const { backend, invoker, crash } = await setUp(directory, { startsHang: true })
      if (times === 0) await publish(backend, waiting)
      await vi.waitFor(() => expect(invoker.stats().queued).toBe(1))
      await backend.state.put('later', times, 'any')
      await crash()
    }
    const { recorded } = await setUp(directory)
    const record = await recorded(waiting.activationId)
    expect(record.response.statusCode).toBe(0)
    expect(record.sluice?.deadLettered).toBeUndefined()
  })

  it('runs a rule-fired message although the store did not answer whether it has been run', async () => {
    const { backend, recorded } = await setUp(scratch(), {
      activations: inner => {
        let failures = 1
        return {
          ...inner,
          get: (...asked) => (failures-- > 0 ? Promise.reject(new Error('no answer')) : inner.get(...asked)),
        }
      },
    })
    const message = fromRule('a'.repeat(32))
    await publish(backend, message)
    expect((await recorded(message.activationId)).response.statusCode).toBe(0)
  })

  it('sets aside what is no activation, and goes on', async () => {
    const { backend, recorded } = await setUp()
    const bodies = ['{"activationId":', 'null', '{"activationId":"x"}'].map(text => Buffer.from(text))
    const aside: string[] = []
    const all = new Promise<void>(done => {
      const options = { group: 'test', from: 'earliest', concurrency: 1, order: 'topic' } as const
      void backend.bus.subscribe(topics.quarantine, options, ({ body, headers }) => {
        aside.push(`${headers.topic} ${Buffer.from(body).toString()}`)
        if (aside.length === bodies.length) done()
        return Promise.resolve()
      })
    })
    await backend.bus.publish(
      topics.invoker(0),
      bodies.map(body => ({ body })),
    )
    const message = fromRule('a'.repeat(32))
    await publish(backend, message)
    await recorded(message.activationId)
    await all
    expect(aside.sort()).toEqual(bodies.map(body => `invoker0 ${body.toString()}`).sort())
  })

  it('refuses a direct invoke that would wait for long, also when the action must be loaded first', async () => {
    const clock = { ...systemClock, ahead: 0, monotonicMs: () => systemClock.monotonicMs() + clock.ahead }
    const { factory, invoker } = await setUp(scratch(), { userMemoryMb: 256, clock })
    const { sent, release } = hangingRun(factory)
    const runs = invoker.run(direct('1'.repeat(32)))
    await sent
    clock.ahead = 6000
    expect(() => invoker.run(direct('2'.repeat(32)))).toThrow('would wait too long')
    const asked = { action: { id: 'ns/hello', version: '0.0.1', revision: 'of-old' } }
    const { accepted, outcome } = invoker.run(direct('3'.repeat(32), asked))
    await expect(accepted).rejects.toMatchObject({ code: 'SLUICE_OVERLOADED' })
    await expect(outcome).rejects.toMatchObject({ code: 'SLUICE_OVERLOADED' })
    release()
    expect((await runs.outcome).response.statusCode).toBe(0)
  })

  it('lets what runs come to its end when it stops', async () => {
    const { invoker, factory, backend } = await setUp()
    let release: () => void = () => undefined
    const started = new Promise<void>(begun => {
      factory.answer = path => {
        if (path !== '/run') return {}
        begun()
        return new Promise(done => (release = () => done({})))
      }
    })
    const message = direct('a'.repeat(32))
    const { outcome } = invoker.run(message)
    await started
    const stopped = invoker.stop()
    expect(() => invoker.run(direct('b'.repeat(32)))).toThrow('shutting down')
    release()
    await stopped
    expect((await outcome).response.statusCode).toBe(0)
    expect(await backend.activations.get('ns', message.activationId)).toBeDefined()
  })

  it('runs nothing of its backlog any more when it stops, and leaves it to the next start', async () => {
    const directory = scratch()
    const first = await setUp(directory, { userMemoryMb: 256 })
    const { sent, release } = hangingRun(first.factory)
    const ids = ['1', '2', '3'].map(digit => digit.repeat(32))
    for (const id of ids) await publish(first.backend, fromRule(id))
    await sent
    await vi.waitFor(() => expect(first.invoker.stats().queued).toBe(2))
    const stopped = first.invoker.stop()
    release()
    await stopped
    expect(first.factory.calls.filter(({ path }) => path === '/run')).toHaveLength(1)
    await first.crash()
    const second = await setUp(directory)
    await Promise.all(
      ids.map(id => vi.waitFor(async () => expect(await second.backend.activations.get('ns', id)).toBeDefined())),
    )
    expect(second.factory.calls.filter(({ path }) => path === '/run')).toHaveLength(2)
  })

  it('takes no more from the bus than memory can hold, and goes on when there is room', async () => {
    const { invoker, factory, backend } = await setUp(scratch(), { userMemoryMb: 256 })
    const { sent, release } = hangingRun(factory)
    const content = JSON.stringify({ text: 'x'.repeat(1024 * 1024) })
    const ids = Array.from({ length: 80 }, (_, i) => i.toString(16).padStart(32, '0'))
    await Promise.all(ids.map(id => publish(backend, direct(id, { content }))))
    await sent
    await vi.waitFor(() => expect(invoker.stats().running).toBeGreaterThanOrEqual(60))
    expect(invoker.stats().running).toBeLessThan(70)
    release()
    for (const id of ids)
      await vi.waitFor(async () => expect(await backend.activations.get('ns', id)).toBeDefined(), { timeout: 20_000 })
  }, 60_000)

  it('keeps the record of a namespace that stores none, unlisted', async () => {
    const { invoker, backend } = await setUp()
    const message = direct('a'.repeat(32), {
      user: { subject: 's', namespace: { name: 'ns', uuid: 'uuid' }, limits: { storeActivations: false } },
    })
    await invoker.run(message).outcome
    expect((await backend.activations.get('ns', message.activationId))?.sluice).toEqual({ unlisted: true })
    expect(await backend.activations.list({ namespace: 'ns', skip: 0, limit: 10 })).toEqual([])
  })
})
