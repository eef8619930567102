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
    lose: {
      killed: ({ id }) => engine.docker.getContainer(id).kill(),
      stopped: ({ id }) => engine.docker.getContainer(id).stop({ t: 1 }),
      removed: ({ id }) => engine.docker.getContainer(id).remove({ force: true }),
      // It may be removed before the engine has started it again.
      restarted: ({ id }) =>
        engine.docker
          .getContainer(id)
          .restart({ t: 1 })
          .catch(() => undefined),
    },
  })
})
