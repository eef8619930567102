import { createServer } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Container, ContainerSpec } from '../../spi/index.ts'
import { call } from './testing/call.ts'
import { engineSocket, openTestEngine, plainTestImage, testFactory, testImage } from './testing/test-engine.ts'

const engine = await openTestEngine()
let count = 0

/** A hub of a kind, on loopback: says which path was asked for. */
async function hub(): Promise<{ url: string; port: number }> {
  const server = createServer((request, response) => response.end(`hub ${request.url}`))
  await new Promise<void>(resolve => server.listen(0, '0.0.0.0', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  const { port } = server.address() as { port: number }
  return { url: `http://127.0.0.1:${port}`, port }
}

function specOf(overrides: Partial<ContainerSpec>): ContainerSpec {
  return {
    name: `wsk0_${++count}_test`,
    kind: 'test:1',
    image: testImage,
    namespace: 'guest',
    labels: {},
    env: { __OW_API_HOST: 'http://127.0.0.1:3233' },
    memoryMb: 128,
    cpuShares: 64,
    egress: 'platform',
    ...overrides,
  }
}

/** An address of this machine that is neither loopback nor a bridge of ours: there the hub above listens as well. */
function hostAddress(): string {
  const all = Object.entries(networkInterfaces()).filter(([name]) => !/^(lo|slc|br-|docker|veth)/.test(name))
  return all.flatMap(([, found]) => found ?? []).find(({ family }) => family === 'IPv4')?.address ?? '192.0.2.1'
}

async function open() {
  const { url, port } = await hub()
  const factory = await testFactory({ apiTarget: () => url })
  const start = async (overrides: Partial<ContainerSpec>): Promise<Container> => {
    const container = await factory.create(specOf(overrides), AbortSignal.timeout(20_000))
    onTestFinished(() => container.destroy())
    return container
  }
  const reaches = async (container: Container, host: string, to: number): Promise<boolean> =>
    ((await call(container, '/connect', { host, port: to })) as { outcome: string }).outcome === 'open'
  const api = async (container: Container, path: string) =>
    (await call(container, '/api', { path })) as { status: number; text: string }
  return { factory, start, reaches, api, port }
}

describe('Egress', () => {
  beforeEach(context => context.skip(engine.missing !== '', engine.missing))

  const platforms = {
    'a socket, without a network': { kind: 'test:1', image: testImage },
    'the bridge of its namespace': { kind: 'test:plain', image: plainTestImage },
  }
  for (const [way, image] of Object.entries(platforms)) {
    it(`[sec:S10] \`platform\` reaches the public API by ${way}, and nothing else`, async () => {
      const { start, reaches, api, port } = await open()
      const container = await start(image)
      expect(await api(container, '/api/v1/namespaces')).toEqual({ status: 200, text: 'hub /api/v1/namespaces' })
      expect(await api(container, '/providers/alarms/v1/lifecycle')).toMatchObject({ status: 200 })
      for (const path of ['/metrics', '/readyz', '/internal/v1/state/alarms', '/api/v1/%2e%2e/%2e%2e/metrics', '/']) {
        expect(await api(container, path)).toMatchObject({ status: path === '/' ? 200 : 403 })
      }
      const neighbour = await start(image)
      const foreigner = await start({ ...image, namespace: 'other' })
      const addresses = await Promise.all([neighbour, foreigner].map(addressOf))
      const targets = [
        [hostAddress(), port],
        ['169.254.169.254', 80],
        ['10.213.0.1', port],
        ['1.1.1.1', 53],
        ...addresses.map(address => [address, 8080]),
        ...(await gateways(container)).map(gateway => [gateway, port]),
      ] as [string, number][]
      for (const [host, to] of targets) expect([host, await reaches(container, host, to)]).toEqual([host, false])
    })
  }

  it('[sec:S10] `none` reaches nothing, by whatever way it is called', async () => {
    const { start, reaches, port } = await open()
    for (const image of Object.values(platforms)) {
      const container = await start({ ...image, egress: 'none', env: {} })
      const env = (await call(container, '/env')) as Record<string, string>
      expect(env).not.toHaveProperty('__OW_API_HOST')
      expect(env).not.toHaveProperty('__OW_API_SOCKET')
      const targets = [hostAddress(), '1.1.1.1', '169.254.169.254', ...(await gateways(container))]
      for (const host of targets) expect([host, await reaches(container, host, port)]).toEqual([host, false])
    }
  })

  it('[sec:S10] `open` has a way out, but not to this machine, to other tenants or to metadata', async () => {
    const { start, reaches, api, port } = await open()
    const container = await start({ egress: 'open' })
    const [other, own] = [await start({ egress: 'open', namespace: 'other' }), await start({ egress: 'open' })]
    const targets = [
      [hostAddress(), port],
      ['169.254.169.254', 80],
      [await addressOf(other), 8080],
      [await addressOf(own), 8080],
      ...(await gateways(container)).map(gateway => [gateway, port]),
    ] as [string, number][]
    for (const [host, to] of targets) expect([host, await reaches(container, host, to)]).toEqual([host, false])
    expect(await api(container, '/api/v1/namespaces')).toMatchObject({ status: 200 })
    const { NetworkSettings } = await engine.docker.getContainer(container.id).inspect()
    const [network = ''] = Object.keys(NetworkSettings.Networks)
    expect(await engine.docker.getNetwork(network).inspect()).toMatchObject({ Internal: false })
  })

  it('keeps each namespace in a network of its own, which goes with the factory', async () => {
    const { factory, start } = await open()
    const image = { kind: 'test:plain', image: plainTestImage }
    const containers = [await start(image), await start(image), await start({ ...image, namespace: 'other' })]
    const networks = await Promise.all(containers.map(networkOf))
    expect(networks[0]).toBe(networks[1])
    expect(networks[0]).not.toBe(networks[2])
    const { IPAM, Options } = await engine.docker.getNetwork(networks[0] ?? '').inspect()
    expect(IPAM?.Config?.[0]?.Subnet).toMatch(/^10\.213\.\d+\.\d+\/28$/)
    expect(Options?.['com.docker.network.bridge.enable_icc']).toBe('false')
    await factory.close()
    const left = await engine.docker.listNetworks({ filters: { name: networks } })
    expect(left).toEqual([])
  })

  it('[sec:S11] leaves a container of the platform without an address that anybody could call', async () => {
    const { start } = await open()
    const container = await start({})
    expect(await addressOf(container)).toBe('')
    expect(container.endpoint).toHaveProperty('socketPath')
    await new Promise<void>((resolve, reject) => {
      const socket = connect((container.endpoint as { socketPath: string }).socketPath, resolve)
      socket.once('error', reject)
      onTestFinished(() => void socket.destroy())
    })
  })

  it('[sec:S10] says that it cannot enforce a limit, and starts no foreign container that would need it', async () => {
    const factory = await testFactory({
      firewall: async () => undefined,
      apiTarget: () => 'http://127.0.0.1:9',
      trustedNamespaces: ['whisk.system'],
    })
    expect(factory.notes().join('\n')).toContain('CAP_NET_ADMIN')
    const create = async (overrides: Partial<ContainerSpec>): Promise<void> => {
      const container = await factory.create(specOf(overrides), AbortSignal.timeout(20_000))
      await container.destroy()
    }
    const plain = { kind: 'test:plain', image: plainTestImage }
    for (const egress of ['platform', 'none'] as const) {
      await expect(create({ ...plain, egress })).rejects.toMatchObject({ code: 'SLUICE_CONTAINER_START' })
    }
    await create({ ...plain, namespace: 'whisk.system' })
    // What has no network needs no firewall.
    await create({})
  })

  it('never shows a container the engine', async () => {
    const { start } = await open()
    const container = await start({})
    expect(await call(container, '/write', { path: engineSocket })).toEqual({ error: 'EROFS' })
  })
})

async function networkOf(container: Container): Promise<string> {
  const { NetworkSettings } = await engine.docker.getContainer(container.id).inspect()
  return Object.keys(NetworkSettings.Networks)[0] ?? ''
}

async function addressOf(container: Container): Promise<string> {
  const { NetworkSettings } = await engine.docker.getContainer(container.id).inspect()
  return Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? ''
}

async function gateways(container: Container): Promise<string[]> {
  const { NetworkSettings } = await engine.docker.getContainer(container.id).inspect()
  const names = Object.keys(NetworkSettings.Networks).filter(name => name !== 'none')
  const networks = await Promise.all(names.map(name => engine.docker.getNetwork(name).inspect()))
  return networks.map(network => (network as { IPAM: { Config: { Gateway: string }[] } }).IPAM.Config[0]?.Gateway ?? '')
}
