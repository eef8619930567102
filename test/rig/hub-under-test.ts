import { createApi, type Api } from './api.ts'
import { removeDirectory, startHub } from './hub-process.ts'
import { dirname } from 'node:path'

/** A hub as its users see it: an address and two keys (design.md §10). */
export type HubUnderTest = {
  readonly url: string
  readonly mine: Tenant
  readonly other: Tenant
  close(): Promise<void>
}
export type Tenant = { readonly namespace: string; readonly auth: string; readonly api: Api }

/**
 * The hub at SLUICE_TEST_HUB_URL with the keys SLUICE_TEST_HUB_AUTH and SLUICE_TEST_HUB_AUTH2 (`uuid:key` of two
 * namespaces that hold nothing of worth), or one that is started for the caller.
 */
export async function openHubUnderTest(): Promise<HubUnderTest> {
  const { SLUICE_TEST_HUB_URL: url, SLUICE_TEST_HUB_AUTH: auth, SLUICE_TEST_HUB_AUTH2: auth2 } = process.env
  if (url !== undefined) {
    if (auth === undefined || auth2 === undefined) {
      throw new Error('SLUICE_TEST_HUB_URL needs SLUICE_TEST_HUB_AUTH and SLUICE_TEST_HUB_AUTH2 beside it.')
    }
    const mine = await tenant(url, auth)
    const other = await tenant(url, auth2)
    return { url, mine, other, close: () => closeAll([mine, other]) }
  }
  const hub = await startHub()
  const mine = await tenant(hub.url, hub.keys.alpha)
  const other = await tenant(hub.url, hub.keys.beta)
  return {
    url: hub.url,
    mine,
    other,
    async close() {
      await closeAll([mine, other])
      await hub.kill()
      removeDirectory(dirname(hub.dataDir))
    },
  }
}

async function tenant(url: string, auth: string): Promise<Tenant> {
  const api = createApi(url, auth)
  const { status, body } = await api.call('GET', '/api/v1/namespaces')
  if (status !== 200) throw new Error(`The hub at ${url} does not know a key of the tests (status ${status}).`)
  return { namespace: (body as string[])[0] ?? '', auth, api }
}

async function closeAll(tenants: readonly Tenant[]): Promise<void> {
  for (const { api } of tenants) await api.close()
}
