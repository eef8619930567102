import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { ContainerSpec } from '../../spi/index.ts'
import { call } from './testing/call.ts'
import { openTestEngine, plainTestImage, testFactory, testImage } from './testing/test-engine.ts'

const engine = await openTestEngine()
const golden = JSON.parse(readFileSync(new URL('testing/hardened-container.json', import.meta.url), 'utf8'))

const spec: ContainerSpec = {
  name: 'wsk0_1_guest_test',
  kind: 'test:1',
  image: testImage,
  namespace: 'guest',
  labels: {},
  env: {},
  memoryMb: 128,
  cpuShares: 64,
  egress: 'platform',
}

async function start(overrides: Partial<ContainerSpec> = {}) {
  const factory = await testFactory({ apiTarget: () => 'http://127.0.0.1:9' })
  const container = await factory.create({ ...spec, ...overrides }, AbortSignal.timeout(20_000))
  onTestFinished(() => container.destroy())
  return container
}

describe('A hardened container', () => {
  beforeEach(context => context.skip(engine.missing !== '', engine.missing))

  it('[sec:S9] [rel:5.2] has the settings of the golden file, and beyond them nothing', async () => {
    const container = await start()
    const { Config, HostConfig } = await engine.docker.getContainer(container.id).inspect()
    const settings = { ...HostConfig, User: Config.User, Volumes: Config.Volumes, ExposedPorts: Config.ExposedPorts }
    const seen = JSON.parse(
      JSON.stringify(settings).replace(/"Source":"[^"]+"/g, '"Source":"<directory of sockets>"'),
    ) as Record<string, unknown>
    const others = Object.entries(seen).filter(([name, value]) => !(name in golden) && !isEmpty(value))
    expect(others).toEqual([])
    for (const [name, value] of Object.entries(golden)) {
      // Newer engines hide more of /proc.
      const wanted = name === 'MaskedPaths' || name === 'ReadonlyPaths' ? expect.arrayContaining(value as []) : value
      expect({ [name]: seen[name] }).toEqual({ [name]: wanted })
    }
  })

  it('[sec:S12] differs from another only in the listed fields, whatever a namespace is called', async () => {
    const hostile = ['--privileged', 'a\nb', '../../etc', '$(id)', '{"Privileged":true}', 'x'.repeat(200), '\u202e']
    const container = await start({
      name: `wsk0_2_${hostile.join('')}`.slice(0, 100),
      namespace: hostile.join('|'),
      env: Object.fromEntries(hostile.map((text, index) => [`V${index}`, text])),
    })
    const { Config, HostConfig } = await engine.docker.getContainer(container.id).inspect()
    expect(HostConfig.Privileged).toBe(false)
    expect(HostConfig.Mounts).toHaveLength(1)
    expect(Config.Labels['sluice.namespace']).toBe(hostile.join('|'))
    expect(Config.Env).toEqual(expect.arrayContaining(hostile.map((text, index) => `V${index}=${text}`)))
    for (const name of ['CapDrop', 'SecurityOpt', 'ReadonlyRootfs', 'PidsLimit', 'NetworkMode']) {
      expect((HostConfig as Record<string, unknown>)[name]).toEqual(golden[name])
    }
  })

  it('writes only to its own small memory file systems', async () => {
    const container = await start()
    const write = (path: string, mb = 0) => call(container, '/write', { path, mb })
    expect(await write('/etc/x')).toEqual({ error: 'EROFS' })
    expect(await write('/run/sluice/x')).toEqual({ error: 'EACCES' })
    expect(await write('/run/sluice/s')).toEqual({ error: 'ENXIO' })
    expect(await write('/tmp/x', 1)).toEqual({ written: 1 })
    expect(await write('/action/x', 1)).toEqual({ written: 1 })
    expect(await write('/tmp/y', 100)).toMatchObject({ error: 'ENOSPC' })
  })

  it('runs as a user of its own without capabilities, also when it starts others', async () => {
    const container = await start()
    const { status } = (await call(container, '/status')) as { status: string }
    expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).toBe('65532')
    for (const set of ['CapPrm', 'CapEff', 'CapBnd', 'CapInh', 'CapAmb']) {
      expect(new RegExp(`^${set}:\\s+0+$`, 'm').test(status)).toBe(true)
    }
    expect(/^NoNewPrivs:\s+1$/m.test(status)).toBe(true)
    expect(/^Seccomp:\s+2$/m.test(status)).toBe(true)
  })

  it('gets no volume that its image declares, and no port of the host', async () => {
    const container = await start({ kind: 'test:plain', image: plainTestImage })
    const { HostConfig, Mounts } = await engine.docker.getContainer(container.id).inspect()
    expect(HostConfig.PortBindings).toEqual({})
    expect(Mounts.filter(({ Type }: { Type?: string }) => Type === 'volume')).toEqual([])
    expect(HostConfig.Tmpfs).toHaveProperty('/scratch')
  })
})

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === 0 || value === false) return true
  return typeof value === 'object' && Object.values(value).every(isEmpty)
}
