import { describe, expect, it } from 'vitest'
import { parseImageName } from '../../model/index.ts'
import type { ContainerSpec } from '../../spi/index.ts'
import { containerSettings, type ContainerDefaults, type ContainerParameters } from './container-settings.ts'
import { hostileValues } from './testing/hostile-values.ts'
import { recordingEngine, type EngineRequest } from './testing/recording-engine.ts'
import { testFactory } from './testing/test-engine.ts'

/** Whatever users write: what the engine is asked for differs from the template only in the listed fields. */

const seed = 12
const hostile = hostileValues(200, seed)

const defaults: ContainerDefaults = {
  user: '65532:65532',
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  tmpMb: 64,
  actionMb: 64,
}
const parameters: ContainerParameters = {
  name: 'wsk0_1_guest_a_life',
  image: 'sluice/action-nodejs-v20:latest',
  labels: { 'sluice.namespace': 'guest' },
  env: { __OW_API_HOST: 'http://hub' },
  memoryMb: 256,
  cpuShares: 64,
  network: 'none',
  socketDirectory: '/tmp/sockets/1',
  volumes: [],
  action: true,
  publish: false,
}
const template = flat(containerSettings(parameters, defaults))

describe('The settings of a container', () => {
  const fields: Readonly<Record<string, { change: (value: string) => Partial<ContainerParameters>; paths: string[] }>> =
    {
      'a name': { change: value => ({ name: value }), paths: ['name'] },
      'an image': { change: value => ({ image: value }), paths: ['Image'] },
      'a namespace': {
        change: value => ({ labels: { 'sluice.namespace': value } }),
        paths: ['Labels › sluice.namespace'],
      },
      'the value of a variable': { change: value => ({ env: { __OW_API_HOST: value } }), paths: ['Env › 0'] },
    }
  for (const [what, { change, paths }] of Object.entries(fields)) {
    it(`[sec:S12] differ only there, whatever ${what} is (200 values, seed ${seed})`, () => {
      for (const value of hostile) {
        const changed = flat(containerSettings({ ...parameters, ...change(value) }, defaults))
        expect([value, differences(template, changed)]).toEqual([value, value === '' ? expect.anything() : paths])
      }
    })
  }

  it('[sec:S12] stay as they are for paths that an image declares as volumes, but for small tmpfs there', () => {
    for (const value of hostile) {
      const changed = flat(containerSettings({ ...parameters, volumes: [value, '/tmp', '/action'] }, defaults))
      const allowed = [`HostConfig › Tmpfs › ${value}`]
      expect([value, differences(template, changed)]).toEqual([value, allowed])
      expect(changed.get(allowed[0] ?? '')).toBe('rw,noexec,nosuid,nodev,mode=1777,size=16m,nr_inodes=4096')
    }
  })
})

describe('What is sent to the engine', () => {
  const spec = (overrides: Partial<ContainerSpec>): ContainerSpec => ({
    name: 'wsk0_1_guest_a',
    kind: 'test:1',
    image: 'sluice/action-nodejs-v20:latest',
    namespace: 'guest',
    labels: {},
    env: { __OW_API_HOST: 'http://hub' },
    memoryMb: 128,
    cpuShares: 64,
    egress: 'none',
    ...overrides,
  })

  /** The requests that one container takes. */
  async function sender(volumes: readonly string[] = []) {
    const engine = await recordingEngine(volumes)
    const factory = await testFactory({ engine: engine.address, defaults })
    return async (overrides: Partial<ContainerSpec>): Promise<EngineRequest[]> => {
      const creation = factory.create(spec(overrides), AbortSignal.timeout(5000))
      await expect(creation).rejects.toMatchObject({ code: expect.stringMatching(/^SLUICE_/) })
      return engine.taken()
    }
  }
  const creation = (requests: readonly EngineRequest[]): EngineRequest | undefined =>
    requests.find(({ path }) => path.startsWith('/containers/create'))
  /** Directories of sockets are numbered. */
  const settings = (request: EngineRequest | undefined): Map<string, unknown> => {
    const all = flat(request?.body)
    all.delete('HostConfig › Mounts › 0 › Source')
    return all
  }

  it('[sec:S12] differs only in labels and name, whatever a namespace and an action are called', async () => {
    const send = await sender()
    const usual = creation(await send({}))
    for (const value of hostile) {
      const requests = await send({ namespace: value, name: `wsk0_2_${value}` })
      expect(requests).toHaveLength(1)
      const { path = '' } = creation(requests) ?? {}
      // One parameter, of harmless characters.
      expect([value, path]).toEqual([value, expect.stringMatching(/^\/containers\/create\?name=[A-Za-z0-9_.-]+$/)])
      const changed = differences(settings(usual), settings(creation(requests)))
      const allowed = ['name', 'Labels › sluice.name', 'Labels › sluice.namespace']
      expect([value, changed.filter(field => !allowed.includes(field))]).toEqual([value, []])
    }
  })

  it('[sec:S12] names an image of a user only if it is a name, and then differs only there', async () => {
    const send = await sender(['/data'])
    const image = { userImage: true, kind: 'blackbox', egress: 'open' as const }
    const usual = creation(await send({ ...image, image: 'user/image:1' }))
    const names = hostile.flatMap(value => [value, `user/image:${value}`, `${value}/image`, `user/image@${value}`])
    let sent = 0
    for (const value of names) {
      const requests = await send({ ...image, image: value })
      if (parseImageName(value) === undefined) {
        expect([value, requests]).toEqual([value, []])
        continue
      }
      sent++
      const changed = differences(settings(usual), settings(creation(requests)))
      expect([value, changed.filter(field => field !== 'Image')]).toEqual([value, []])
      for (const { path } of requests) expect(path).toMatch(/^\/(images\/create|containers\/create|networks)/)
    }
    expect(sent).toBeGreaterThan(0)
  })

  it('[sec:S12] makes a network for a namespace that differs only in the label, whatever it is called', async () => {
    const send = await sender()
    const network = async (namespace: string): Promise<Map<string, unknown>> => {
      const requests = await send({ namespace, egress: 'open' })
      const made = flat(requests.find(({ path }) => /^\/networks\/create\??$/.test(path))?.body)
      // Drawn and counted: each network has others.
      for (const field of ['Name', 'Options › com.docker.network.bridge.name']) {
        expect(made.get(field)).toMatch(/^(sluice-|slc)[0-9a-f]{10}$/)
        made.delete(field)
      }
      for (const field of ['Subnet', 'Gateway']) made.delete(`IPAM › Config › 0 › ${field}`)
      return made
    }
    const usual = await network('guest')
    for (const value of hostile) {
      const changed = differences(usual, await network(value))
      expect([value, changed]).toEqual([value, ['Labels › sluice.namespace']])
    }
  })
})

/** Every value of a structure by its place. */
function flat(value: unknown, place = '', into = new Map<string, unknown>()): Map<string, unknown> {
  if (typeof value !== 'object' || value === null) return into.set(place, value)
  const entries = Object.entries(value)
  if (entries.length === 0) return into.set(place, Array.isArray(value) ? '[]' : '{}')
  for (const [name, inner] of entries) flat(inner, place === '' ? name : `${place} › ${name}`, into)
  return into
}

/** Places where two structures differ. */
function differences(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): string[] {
  const places = new Set([...a.keys(), ...b.keys()])
  return [...places].filter(place => a.get(place) !== b.get(place))
}
