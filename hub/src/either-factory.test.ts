import { expect, it } from 'vitest'
import type { Container, ContainerFactory, ContainerSpec } from '@sluice/core/spi'
import { eitherFactory } from './either-factory.ts'

const spec: ContainerSpec = {
  name: 'wsk0_1_guest_a',
  kind: 'nodejs:20',
  image: 'image',
  labels: {},
  env: {},
  memoryMb: 128,
  cpuShares: 64,
  egress: 'platform',
}

/** Starts containers of one kind; their id is the factory's name. */
function factory(name: string, kind: string, pause = true) {
  const containers: Container[] = []
  const calls: string[] = []
  const double: ContainerFactory = {
    capabilities: { pause, isolation: 'container' },
    supports: wanted => wanted === kind,
    async create(_spec, _signal, begins) {
      begins?.()
      containers.push({ id: name } as Container)
      return containers[0] as Container
    },
    list: async () => containers,
    async cleanup() {
      calls.push('cleanup')
      return 2
    },
    async close() {
      calls.push('close')
    },
  }
  return { double, calls }
}

it('starts in the first what the first supports, and images of users; in the second all else', async () => {
  const [docker, processes] = [factory('docker', 'nodejs:20'), factory('processes', 'python:3.11')]
  const either = eitherFactory(docker.double, processes.double)
  let begun = 0
  const where = async (overrides: Partial<ContainerSpec>): Promise<string> =>
    (await either.create({ ...spec, ...overrides }, new AbortController().signal, () => begun++)).id
  expect(await where({})).toBe('docker')
  expect(await where({ kind: 'python:3.11' })).toBe('processes')
  expect(await where({ kind: 'blackbox', userImage: true })).toBe('docker')
  expect([either.supports('nodejs:20'), either.supports('python:3.11'), either.supports('go:1')]).toEqual([
    true,
    true,
    false,
  ])
  expect(await either.list({})).toHaveLength(3)
  expect(begun).toBe(3)
})

it('cleans up and closes both, and pauses only where both can', async () => {
  const [first, second] = [factory('a', 'x'), factory('b', 'y', false)]
  const either = eitherFactory(first.double, second.double)
  expect(either.capabilities.pause).toBe(false)
  expect(await either.cleanup()).toBe(4)
  await either.close()
  expect([first.calls, second.calls]).toEqual([
    ['cleanup', 'close'],
    ['cleanup', 'close'],
  ])
})
