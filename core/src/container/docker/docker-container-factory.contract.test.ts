import { beforeEach, describe } from 'vitest'
import { containerFactoryContract } from '../../../contract/container-factory.ts'
import { livingPids, openTestEngine, openTestFactory, testImage } from './testing/test-engine.ts'

const engine = await openTestEngine()

describe('Docker containers', () => {
  beforeEach(context => context.skip(engine.missing !== '', engine.missing))

  containerFactoryContract('docker', {
    open: installation => openTestFactory({ installation }),
    kind: 'test:1',
    image: testImage,
    environment: [...engine.variables, 'HOME', 'HOSTNAME', '__OW_LISTEN_SOCKET'],
    alive: async (container, pids) => livingPids(container, pids),
  })
})
