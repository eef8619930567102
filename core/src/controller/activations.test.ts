import { describe, expect, it } from 'vitest'
import type { ActivationRecord } from '../model/index.ts'
import { createFixture, other } from './testing/fixture.ts'

const hex = (digit: string) => digit.repeat(32)

function record(over: Partial<ActivationRecord> = {}): ActivationRecord {
  return {
    namespace: 'guest',
    name: 'a',
    version: '0.0.1',
    subject: 'guest',
    activationId: hex('a'),
    start: 1000,
    end: 1012,
    duration: 12,
    response: { statusCode: 0, result: { ok: true }, size: 11 },
    logs: ['2023-11-14T22:13:20.001234567Z       stdout: hi'],
    annotations: [
      { key: 'path', value: 'guest/a' },
      { key: 'kind', value: 'nodejs:20' },
    ],
    publish: false,
    sluice: { attempt: 1 },
    ...over,
  }
}

async function withRecords(...records: ActivationRecord[]) {
  const fixture = await createFixture()
  for (const each of records) await fixture.activations.insert(each)
  return fixture
}

describe('one activation', () => {
  it('[rest:94] shows the record without bookkeeping, with and without a slash', async () => {
    const { call } = await withRecords(record())
    const { sluice: _, ...shown } = record()
    for (const slash of ['', '/']) {
      const { status, json } = await call('GET', `~activations/${hex('a')}${slash}`)
      expect(status).toBe(200)
      expect(json).toEqual({ ...shown, response: { status: 'success', success: true, result: { ok: true }, size: 11 } })
    }
  })

  it('[rest:95] shows the result alone', async () => {
    const { call } = await withRecords(record())
    const { json } = await call('GET', `~activations/${hex('a')}/result`)
    expect(json).toEqual({ result: { ok: true }, size: 11, status: 'success', success: true })
  })

  it('[rest:96] shows the logs alone', async () => {
    const { call } = await withRecords(record())
    expect((await call('GET', `~activations/${hex('a')}/logs`)).json).toEqual({ logs: record().logs })
  })

  it.each([
    ['[rest:97]', 'a'.repeat(31), 'Activation id length is 31 but must be 32.'],
    ['[rest:98]', 'z'.repeat(32), 'The activation id is not valid.'],
    ['', 'A'.repeat(32), 'The activation id is not valid.'],
    ['', 'z!', 'Activation id length is 2 but must be 32.'],
  ])('%s refuses the id %s', async (_id, id, error) => {
    const { call } = await createFixture()
    for (const below of ['', '/logs', '/result']) {
      const { status, json, headers } = await call('GET', `~activations/${id}${below}`)
      expect([status, json.error]).toEqual([400, error])
      expect(headers).not.toHaveProperty('access-control-allow-origin')
    }
  })

  it('[rest:99] answers 404 for what is missing', async () => {
    const { call } = await createFixture()
    for (const below of ['', '/logs', '/result']) {
      const { status, json } = await call('GET', `~activations/${hex('b')}${below}`)
      expect([status, json.error]).toEqual([404, 'The requested resource does not exist.'])
    }
  })

  it.each(['/bogus', '/logs/', '/result/', '/logs/x'])('[rest:100] has nothing at %s', async below => {
    const { call } = await withRecords(record())
    const { status, json } = await call('GET', `~activations/${hex('a')}${below}`)
    expect([status, json.error]).toEqual([404, 'The requested resource could not be found.'])
  })

  it.each(['PUT', 'POST', 'DELETE'])('[rest:107] has no %s', async method => {
    const { call } = await withRecords(record())
    expect((await call(method, `~activations/${hex('a')}`, {})).status).toBe(404)
  })

  it('[rest:108] hides the records of a namespace that stores none', async () => {
    const { call } = await withRecords(record({ sluice: { unlisted: true } }))
    for (const below of ['', '/logs', '/result']) {
      expect((await call('GET', `~activations/${hex('a')}${below}`)).status).toBe(404)
    }
  })

  it('shows of a trigger neither an end nor a duration', async () => {
    const { end: _, duration: __, ...trigger } = record({ annotations: [] })
    const { call } = await withRecords(trigger)
    const { json } = await call('GET', `~activations/${hex('a')}`)
    expect(json).not.toHaveProperty('end')
    expect(json).not.toHaveProperty('duration')
  })
})

describe('lists of activations', () => {
  const three = [1000, 2000, 3000].map((start, index) => record({ start, activationId: hex(String(index + 1)) }))

  it('[rest:101] lists summaries, newest first', async () => {
    const { call } = await withRecords(...three)
    const { json } = await call('GET', '~activations')
    expect((json as { start: number }[]).map(({ start }) => start)).toEqual([3000, 2000, 1000])
    expect(Object.keys(json[0] as object).sort()).toEqual([
      'activationId',
      'annotations',
      'duration',
      'end',
      'name',
      'namespace',
      'publish',
      'start',
      'statusCode',
      'version',
    ])
    expect((await call('GET', '~activations?limit=1&skip=1')).json[0].start).toBe(2000)
    expect((await call('GET', '~activations', undefined, { as: other })).json).toEqual([])
  })

  it('[rest:102] takes both ends of a time range in', async () => {
    const { call } = await withRecords(...three)
    const { json } = await call('GET', '~activations?docs=true&since=1000&upto=2000')
    expect((json as { start: number; logs: unknown }[]).map(({ start, logs }) => [start, logs])).toEqual([
      [2000, record().logs],
      [1000, record().logs],
    ])
    expect((await call('GET', '~activations?since=-5&upto=-1')).json).toEqual([])
  })

  it('[rest:103] [rest:104] filters by a name of one or two segments', async () => {
    const packaged = record({ annotations: [{ key: 'path', value: 'guest/pkg/a' }], activationId: hex('b') })
    const { call } = await withRecords(record(), packaged)
    const ids = async (name: string) =>
      ((await call('GET', `~activations?name=${name}`)).json as { activationId: string }[]).map(
        item => item.activationId,
      )
    expect(await ids('')).toHaveLength(2)
    expect(await ids('a')).toEqual([hex('a')])
    expect(await ids('pkg/a')).toEqual([hex('b')])
    for (const name of ['abc/xyz/123', '0%20', 'bad!', '/']) {
      const { status, json } = await call('GET', `~activations?name=${name}`)
      expect(status).toBe(400)
      expect(json.error).toContain("Parameter may be a 'simple' name or 'package-name/simple' name: ")
    }
  })

  it.each(['xxx', '', '1.5', '1e3', '99999999999999999999'])('[rest:105] refuses the time %j', async time => {
    const { call } = await createFixture()
    for (const name of ['since', 'upto']) {
      const { status, json } = await call('GET', `~activations?${name}=${time}`)
      const error = `The query parameter '${name}' was malformed:\nParameter is not a valid value for epoch seconds: ${time}`
      expect([status, json.error]).toEqual([400, error])
    }
  })

  it('[rest:106] counts, but not with documents', async () => {
    const { call } = await withRecords(...three)
    expect((await call('GET', '~activations?count=true&since=2000')).json).toEqual({ activations: 2 })
    expect((await call('GET', '~activations?count=true&skip=9')).json).toEqual({ activations: 0 })
    const { status, json } = await call('GET', '~activations?count=true&docs=true')
    expect([status, json.error]).toEqual([400, "The parameter 'docs' is not permitted with 'count'."])
  })
})

describe('settlement and dead letters', () => {
  const settlement = { settled: true, runs: [], deadLetters: [] }

  it('asks the service, with the time to wait', async () => {
    const asked: unknown[] = []
    const { call } = await createFixture({
      deps: {
        settlement: {
          get: async (...question) => (asked.push(question), settlement),
          getMany: async (...question) => (asked.push(question), { [hex('a')]: settlement }),
        },
      },
    })
    expect((await call('GET', `~activations/${hex('a')}/settlement?waitMs=500`)).json).toEqual(settlement)
    expect((await call('POST', '~activations/settlements', [hex('a')])).json).toEqual({ [hex('a')]: settlement })
    await call('POST', '~activations/settlements?waitMs=60000', { ids: [hex('a')] })
    expect(asked).toEqual([
      ['guest', hex('a'), 500],
      ['guest', [hex('a')], 0],
      ['guest', [hex('a')], 60000],
    ])
  })

  it('answers 404 for a fire that it does not know, 400 for ids that are none', async () => {
    const { call } = await createFixture()
    expect((await call('GET', `~activations/${hex('a')}/settlement`)).status).toBe(404)
    for (const body of [['x'], {}, 5, Array(1001).fill(hex('a'))]) {
      expect((await call('POST', '~activations/settlements', body)).status).toBe(400)
    }
    expect((await call('GET', `~activations/${hex('a')}/settlement?waitMs=60001`)).status).toBe(400)
  })

  it('lists, shows and deletes dead letters', async () => {
    const letters = new Map([['d1', { id: 'd1' }]])
    const { call } = await createFixture({
      deps: {
        deadLetters: {
          list: async (_namespace, { skip, limit }) => [...letters.values()].slice(skip, skip + limit),
          get: async (_namespace, id) => letters.get(id),
          async delete(_namespace, id) {
            const letter = letters.get(id)
            letters.delete(id)
            return letter
          },
        },
      },
    })
    expect((await call('GET', '~deadletters')).json).toEqual([{ id: 'd1' }])
    expect((await call('GET', '~deadletters/d1')).json).toEqual({ id: 'd1' })
    expect((await call('DELETE', '~deadletters/d1')).status).toBe(200)
    expect((await call('DELETE', '~deadletters/d1')).status).toBe(404)
  })
})
