import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Container, ContainerSpec } from '../../spi/index.ts'
import { ownerNote } from '../ownership/owner.ts'
import { isAbandoned, ownerLabels } from './labels.ts'
import { openTestEngine, plainTestImage, testFactory, testImage } from './testing/test-engine.ts'

const engine = await openTestEngine()
let count = 0

function specOf(overrides: Partial<ContainerSpec>): ContainerSpec {
  return {
    name: `wsk0_${++count}_test`,
    kind: 'test:1',
    image: testImage,
    namespace: 'guest',
    labels: {},
    env: {},
    memoryMb: 128,
    cpuShares: 64,
    egress: 'none',
    ...overrides,
  }
}

describe('What a hub left that is never started again', () => {
  beforeEach(context => {
    context.skip(engine.missing !== '', engine.missing)
    context.skip(ownerNote() === undefined, 'needs /proc')
  })

  it('[rel:R1] [sec:S20] is removed by any other that starts: containers, networks, directories; nothing of one that lives', async () => {
    const [killed, living] = [await hub(), await hub()]
    expect([await killed.remains(), await living.remains()]).toEqual([everything, everything])
    await killed.kill()
    const next = await testFactory()
    expect(await next.cleanup()).toBe(0)
    await expect.poll(killed.remains, { timeout: 20_000 }).toEqual(nothing)
    expect(await living.remains()).toEqual(everything)
  })
})

const everything = { asleep: true, networked: true, network: true, directory: true }
const nothing = { asleep: false, networked: false, network: false, directory: false }

/** What the factory of another process has: a suspended container, one in a network, and a directory of sockets. */
async function hub() {
  const child = spawn('sleep', ['600'])
  onTestFinished(() => void child.kill('SIGKILL'))
  const factory = await testFactory({ note: ownerNote(child.pid) })
  const start = async (overrides: Partial<ContainerSpec>): Promise<Container> => {
    const container = await factory.create(specOf(overrides), AbortSignal.timeout(20_000))
    onTestFinished(() => container.destroy())
    return container
  }
  const [asleep, networked] = [await start({}), await start({ kind: 'test:plain', image: plainTestImage })]
  await asleep.suspend()
  const directory = dirname(dirname((asleep.endpoint as { socketPath: string }).socketPath))
  const { NetworkSettings } = await engine.docker.getContainer(networked.id).inspect()
  const [network = ''] = Object.keys(NetworkSettings.Networks)
  return {
    async kill() {
      child.kill('SIGKILL')
      await new Promise(resolve => child.once('exit', resolve))
    },
    async remains() {
      const containers = (await engine.docker.listContainers({ all: true })).map(({ Id }) => Id)
      const networks = (await engine.docker.listNetworks()).map(({ Name }) => Name)
      return {
        asleep: containers.includes(asleep.id),
        networked: containers.includes(networked.id),
        network: networks.includes(network),
        directory: existsSync(directory),
      }
    },
  }
}

describe('the label of an owner', () => {
  it('lets nobody take a container that runs for one of an earlier boot', context => {
    const [machine, , ...rest] = (ownerNote() ?? '').split(':')
    context.skip(machine === undefined || !/^[0-9a-f]{16}$/.test(machine), 'needs /proc and /etc/machine-id')
    const labels = ownerLabels([machine, '00000000-0000-4000-8000-000000000000', ...rest].join(':'))
    expect([isAbandoned(labels), isAbandoned(labels, true), isAbandoned({})]).toEqual([true, false, false])
  })
})
