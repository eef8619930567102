import fastify from 'fastify'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { stateStoreContract, recorder, unique } from '../../../contract/index.ts'
import { openMemoryBackend } from '../../backend/memory/index.ts'
import { createRemoteStateStore } from '../../client/index.ts'
import { systemClock, systemRandom, type StateStore } from '../../spi/index.ts'
import { stateRoutes } from './internal-state.ts'

stateStoreContract('over HTTP', openRemote, { lasting: false })

it('refuses a wrong key, another provider, and keys outside the provider', async () => {
  const hub = await serve()
  const wrong = clientOf(hub.url, 'alarms', 'wrong')
  await expect(wrong.get('alarms/a')).rejects.toMatchObject({ code: 'SLUICE_REQUEST' })
  const other = clientOf(hub.url, 'kafka', 'the key')
  await expect(other.get('kafka/a')).rejects.toMatchObject({ code: 'SLUICE_REQUEST' })
  const right = clientOf(hub.url, 'alarms', 'the key')
  await right.put('alarms/a', 1)
  await expect(right.get('kafka/a')).rejects.toThrow(/only keys below alarms\//)
  await expect(right.put('alarmsb', 1)).rejects.toThrow(/only keys below/)
  await expect(right.scan({ prefix: '', limit: 1 })).rejects.toThrow(/only keys below/)
  for (const store of [wrong, other, right]) await store.close()
  await hub.close()
})

it('refuses writes with a lower fencing token than the highest seen, also after a restart of the hub', async () => {
  const { state } = openMemoryBackend({ clock: systemClock, random: systemRandom })
  const hub = await serve(state)
  const client = clientOf(hub.url)
  const [older, newer] = [client.withFence({ shard: 3, token: 4 }), client.withFence({ shard: 3, token: 5 })]
  await older.put('alarms/a', 'older')
  await newer.put('alarms/a', 'newer', 'any')
  const refused = { code: 'SLUICE_FENCED' }
  await expect(older.put('alarms/a', 'older', 'any')).rejects.toMatchObject(refused)
  await expect(older.putMany([{ key: 'alarms/b', value: 1 }])).rejects.toMatchObject(refused)
  await expect(older.delete('alarms/a')).rejects.toMatchObject(refused)
  await client.withFence({ shard: 4, token: 1 }).put('alarms/c', 'another shard')
  await client.close()
  await hub.close()

  const restarted = await serve(state)
  const again = clientOf(restarted.url)
  await expect(again.withFence({ shard: 3, token: 4 }).put('alarms/d', 1)).rejects.toMatchObject(refused)
  expect((await again.get('alarms/a'))?.value).toBe('newer')
  await again.close()
  await restarted.close()
})

it('lets no write of a lower token land after one of a higher token was taken', async () => {
  const { state } = openMemoryBackend({ clock: systemClock, random: systemRandom })
  let letGo = () => {}
  const slow: StateStore = {
    ...state,
    put: async (key, value, revision) => {
      if (value === 'slow') await new Promise<void>(resolve => (letGo = resolve))
      return state.put(key, value, revision)
    },
  }
  const hub = await serve(slow)
  const client = clientOf(hub.url)
  const order: string[] = []
  const late = client.withFence({ shard: 0, token: 1 }).put('alarms/a', 'slow', 'any')
  void late.then(() => order.push('slow'))
  await expect.poll(() => letGo.name).not.toBe('letGo')
  const fresh = client.withFence({ shard: 0, token: 2 }).put('alarms/a', 'fresh', 'any')
  void fresh.then(() => order.push('fresh'))
  // Anything else goes on meanwhile.
  await client.put('alarms/other', 1)
  letGo()
  await Promise.all([late, fresh])
  expect((await state.get('alarms/a'))?.value).toBe('fresh')
  await client.close()
  await hub.close()
})

it('tells a watcher everything again when the hub was restarted', async () => {
  const { state } = openMemoryBackend({ clock: systemClock, random: systemRandom })
  const hub = await serve(state)
  const client = clientOf(hub.url)
  const seen = recorder<string>()
  client.watch('alarms/', ({ key, deleted }) => seen.add(`${key} ${deleted}`))
  await client.put('alarms/a', 1)
  await client.put('alarms/b', 1)
  expect(await seen.take(2)).toEqual(['alarms/a false', 'alarms/b false'])
  await hub.close()
  await state.delete('alarms/a')
  await state.put('alarms/c', 1)
  const restarted = await serve(state, hub.port)
  expect((await seen.take(5)).slice(2).sort()).toEqual(['alarms/a true', 'alarms/b false', 'alarms/c false'])
  await client.close()
  await restarted.close()
})

it('says that the store is unavailable when the hub is not there', async () => {
  const client = clientOf('http://127.0.0.1:1')
  await expect(client.get('alarms/a')).rejects.toMatchObject({ code: 'SLUICE_STORE_UNAVAILABLE' })
  await client.close()
})

function clientOf(url: string, provider = 'alarms', key = 'the key') {
  return createRemoteStateStore({ url, provider, key, clock: systemClock })
}

async function serve(state = openMemoryBackend({ clock: systemClock, random: systemRandom }).state, port = 0) {
  const app = fastify({ forceCloseConnections: true })
  const providerKeys = new Map([['alarms', 'the key']])
  await app.register(stateRoutes, { state, clock: systemClock, random: systemRandom, providerKeys })
  await app.listen({ host: '127.0.0.1', port })
  const bound = (app.server.address() as AddressInfo).port
  return { url: `http://127.0.0.1:${bound}`, port: bound, close: () => app.close() }
}

/** The suite knows nothing of the prefix that confines a provider. */
async function openRemote() {
  const hub = await serve()
  const client = clientOf(hub.url)
  const root = `alarms/${unique('root')}/`
  const bare = <T extends { key: string }>(entry: T): T => ({ ...entry, key: entry.key.slice(root.length) })
  const subject: StateStore = {
    get: async key => {
      const entry = await client.get(root + key)
      return entry && bare(entry)
    },
    put: (key, value, revision) => client.put(root + key, value, revision),
    putMany: writes => client.putMany(writes.map(write => ({ ...write, key: root + write.key }))),
    delete: (key, revision) => client.delete(root + key, revision),
    scan: async ({ prefix, after, ...rest }) => {
      const place = after === undefined ? {} : { after: root + after }
      return (await client.scan({ prefix: root + prefix, ...place, ...rest })).map(bare)
    },
    watch: (prefix, onChange) => client.watch(root + prefix, change => onChange(bare(change))),
    close: () => client.close(),
  }
  return {
    subject,
    dispose: async () => {
      await client.close()
      await hub.close()
    },
  }
}
