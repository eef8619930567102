import { describe, expect, it } from 'vitest'
import { deadLetterKey } from './dead-letters.ts'
import { direct, fromRule, publish, scratch, setUp } from './testing/invoker-rig.ts'
import type { ServedFactory } from './testing/served-factory.ts'

const byHand = { code: null, oom: false, outside: true }
const byItself = { code: 1, oom: false }
const runExited = 'The action did not produce a valid response and exited unexpectedly.'
const provision = 'Failed to provision resources to run the action.'

/** The first `times` calls of the path lose their container from outside. */
function loses(factory: ServedFactory, path: '/init' | '/run', times: number): void {
  let left = times
  factory.answer = asked => {
    if (asked !== path || left === 0) return {}
    left--
    factory.end(byHand)
    return { hangUp: true }
  }
}

const paths = ({ calls }: ServedFactory): string[] => calls.map(({ path }) => path)
const attempts = ({ calls }: ServedFactory): unknown[] =>
  calls.filter(({ path }) => path === '/run').map(({ body }) => [body.activation_id, body.sluice_attempt])

describe('a container that is lost from outside', () => {
  it('[rel:R8] [promise:P6] runs what a rule fired again under its id, with the attempt counted', async () => {
    const { backend, factory, recorded } = await setUp()
    loses(factory, '/run', 1)
    const { activationId: id } = await publish(backend, fromRule('a'.repeat(32)))
    const record = await recorded(id)
    expect(record.response.statusCode).toBe(0)
    expect(record.sluice).toMatchObject({ attempt: 2, rule: 'ns/r' })
    expect(attempts(factory)).toEqual([
      [id, '1'],
      [id, '2'],
    ])
    expect(paths(factory)).toEqual(['/init', '/run', '/init', '/run'])
  })

  it('[rel:R8] [promise:P6] is a whisk error of a direct invoke, which is never sent twice', async () => {
    const { backend, factory, invoker, recorded } = await setUp()
    loses(factory, '/run', 2)
    const blocking = await invoker.run(direct('a'.repeat(32))).outcome
    const { activationId: id } = await publish(backend, direct('b'.repeat(32), { blocking: false }))
    for (const { response } of [blocking, await recorded(id)])
      expect(response).toEqual({ statusCode: 3, result: { error: runExited } })
    expect(attempts(factory)).toHaveLength(2)
  })

  it('[rel:R8] costs a run nothing while it is initialised, whoever asked for it', async () => {
    const { backend, factory, invoker, recorded } = await setUp()
    loses(factory, '/init', 2)
    expect((await invoker.run(direct('a'.repeat(32))).outcome).response.statusCode).toBe(0)
    expect(paths(factory)).toEqual(['/init', '/init', '/init', '/run'])
    factory.end(byHand)
    loses(factory, '/init', 2)
    const { activationId: id } = await publish(backend, fromRule('b'.repeat(32)))
    expect(await recorded(id)).toMatchObject({ response: { statusCode: 0 }, sluice: { attempt: 1 } })
  })

  it('[rel:R8] is not looked for in another one for ever', async () => {
    const { factory, invoker } = await setUp()
    loses(factory, '/init', Infinity)
    const { response } = await invoker.run(direct('a'.repeat(32))).outcome
    expect(response).toEqual({ statusCode: 3, result: { error: provision } })
    expect(paths(factory)).toEqual(['/init', '/init', '/init'])
  })

  it('[rel:R15] [promise:P6] leaves a dead letter and one record when it is lost in every attempt', async () => {
    const { backend, factory, recorded } = await setUp()
    loses(factory, '/run', Infinity)
    const { activationId: id } = await publish(backend, fromRule('a'.repeat(32)))
    const record = await recorded(id)
    expect(record).toMatchObject({ response: { statusCode: 3 }, sluice: { deadLettered: true, attempt: 5 } })
    expect((await backend.state.get(deadLetterKey('ns', id)))?.value).toMatchObject({
      attempts: 5,
      reason: 'every container was lost during the run',
    })
    expect(attempts(factory)).toEqual(['1', '2', '3', '4', '5'].map(attempt => [id, attempt]))
  })

  it('[promise:P6] counts on after a crash of the invoker', async () => {
    const directory = scratch()
    const first = await setUp(directory)
    const again = new Promise<void>(reached => {
      let runs = 0
      first.factory.answer = path => {
        if (path !== '/run') return {}
        if (++runs === 1) {
          first.factory.end(byHand)
          return { hangUp: true }
        }
        reached()
        return new Promise(() => undefined)
      }
    })
    const { activationId: id } = await publish(first.backend, fromRule('a'.repeat(32)))
    await again
    await first.crash()

    const second = await setUp(directory)
    expect(await second.recorded(id)).toMatchObject({ response: { statusCode: 0 }, sluice: { attempt: 3 } })
    expect(attempts(second.factory)).toEqual([[id, '3']])
  })

  it('[promise:P6] is told from one that went by itself: that is a result, of rules too', async () => {
    const { backend, factory, recorded } = await setUp()
    factory.answer = path => {
      if (path !== '/run') return {}
      factory.end(byItself)
      return { hangUp: true }
    }
    const { activationId: id } = await publish(backend, fromRule('a'.repeat(32)))
    const { response, sluice } = await recorded(id)
    expect(response).toEqual({ statusCode: 2, result: { error: runExited } })
    expect(sluice).toMatchObject({ attempt: 1 })
    expect(attempts(factory)).toHaveLength(1)
  })
})
