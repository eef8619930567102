import { expect, it } from 'vitest'
import { manualClock } from '../../../contract/manual-clock.ts'
import type { Logger } from '../../spi/index.ts'
import { EngineError } from './engine-error.ts'
import type { Engine, ImageFacts, RegistryAuth } from './engine.ts'
import { createImages } from './images.ts'

const quiet = (): void => undefined
const log: Logger = { error: quiet, warn: quiet, info: quiet, debug: quiet, child: () => log }
const never = new AbortController().signal

/** An engine that has `here` and can pull `elsewhere`. */
function open(here: readonly string[], elsewhere: readonly string[] = []) {
  const present = new Set(here)
  const reachable = new Set(elsewhere)
  const pulls: { name: string; auth: RegistryAuth | undefined }[] = []
  let finish: () => void = quiet
  let gate: Promise<void> = Promise.resolve()
  const engine: Pick<Engine, 'image' | 'pull' | 'brings'> = {
    async image(name): Promise<ImageFacts> {
      if (!present.has(name)) throw new EngineError('refused', 'No such image', 404)
      return { id: name, labels: { 'sluice.sockets': 'listen,api' }, volumes: [] }
    },
    brings: async id => id.includes('full'),
    async pull(name, auth) {
      pulls.push({ name, auth })
      await gate
      if (!reachable.has(name)) throw new EngineError('refused', 'not found', 404)
      present.add(name)
    },
  }
  const images = createImages({
    engine: engine as Engine,
    clock: manualClock(0),
    log,
    kinds: { 'nodejs:20': 'sluice/action-nodejs-v20:latest', 'python:3.11': 'sluice/action-python-v3.11:latest' },
    natives: { 'openwhisk/dockerskeleton': 'sluice/action-skeleton:latest' },
    labels: {},
    registries: [{ server: 'registry.example:5000', username: 'u', password: 'p' }],
  })
  return {
    images,
    pulls,
    reachable,
    hold(): void {
      gate = new Promise(resolve => (finish = resolve))
    },
    letGo: () => finish(),
  }
}

const own = { image: 'sluice/action-nodejs-v20:latest' }
const users = (image: string) => ({ image, userImage: true })

it('[platform:DRV-05] never pulls an image of the platform, and says how to get it', async () => {
  const { images, pulls } = open([])
  await expect(images.ready(own, never)).rejects.toMatchObject({
    code: 'SLUICE_CONTAINER_START',
    message: expect.stringContaining('npm run images'),
  })
  expect(pulls).toEqual([])
})

it('knows which kinds have their image, as of the last look', async () => {
  const { images } = open(['sluice/action-nodejs-v20:latest'])
  expect(images.has('nodejs:20')).toBe(false)
  await images.look()
  expect(images.has('nodejs:20')).toBe(true)
  expect(images.has('python:3.11')).toBe(false)
  expect(images.has('constructor')).toBe(false)
  expect(images.missing()).toEqual([{ kind: 'python:3.11', image: 'sluice/action-python-v3.11:latest' }])
})

it('believes labels about sockets only of the platform\u2019s own images', async () => {
  const { images } = open([own.image, 'someone/else:1'], ['someone/else:1'])
  expect((await images.ready(own, never)).sockets).toEqual({ listen: true, api: true })
  expect((await images.ready(users('someone/else:1'), never)).sockets).toEqual({ listen: false, api: false })
})

it('[platform:DRV-06] fails for an untagged or latest image of a user that cannot be pulled, even if it is here', async () => {
  for (const name of ['someone/else', 'someone/else:latest']) {
    const { images, pulls } = open(['someone/else:latest'])
    await expect(images.ready(users(name), never)).rejects.toMatchObject({ code: 'SLUICE_IMAGE_PULL' })
    expect(pulls.map(pull => pull.name)).toEqual(['someone/else:latest'])
  }
})

it('[platform:DRV-07] takes the image that is here when one with a tag cannot be pulled', async () => {
  const { images } = open(['someone/else:1'])
  expect(await images.ready(users('someone/else:1'), never)).toMatchObject({ name: 'someone/else:1' })
})

it('[platform:DRV-08] fails for a tagged image that can neither be pulled nor is here', async () => {
  const { images } = open([])
  await expect(images.ready(users('someone/else:1'), never)).rejects.toMatchObject({ code: 'SLUICE_IMAGE_PULL' })
})

it('[platform:DRV-13] pulls an image once for all who ask, and again after a failure', async () => {
  const { images, pulls, reachable, hold, letGo } = open([])
  hold()
  const three = [1, 2, 3].map(() => images.ready(users('someone/else:1'), never).catch(() => 'failed'))
  letGo()
  expect(await Promise.all(three)).toEqual(['failed', 'failed', 'failed'])
  expect(pulls).toHaveLength(1)
  reachable.add('someone/else:1')
  expect(await images.ready(users('someone/else:1'), never)).toMatchObject({ name: 'someone/else:1' })
  expect(pulls).toHaveLength(2)
})

it('gives the credentials of the registry that the image names, and no other', async () => {
  const { images, pulls } = open([], ['registry.example:5000/a/b:1', 'a/b:1'])
  await images.ready(users('registry.example:5000/a/b:1'), never)
  await images.ready(users('a/b:1'), never)
  expect(pulls.map(({ auth }) => auth?.username)).toEqual(['u', undefined])
})

it('stops waiting for a pull when it is told to', async () => {
  const { images, hold } = open([])
  hold()
  const impatient = new AbortController()
  const waiting = images.ready(users('someone/else:1'), impatient.signal)
  impatient.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
})

it('refuses what is no image name without asking the engine', async () => {
  const { images, pulls } = open([])
  for (const name of ['', 'a b', '--privileged', 'A/B', 'a@b@c', '../x']) {
    await expect(images.ready(users(name), never)).rejects.toMatchObject({ code: 'SLUICE_IMAGE_PULL' })
  }
  expect(pulls).toEqual([])
})

it('[runtime:MAN-09] takes the platform\u2019s own skeleton for the one that users name, and pulls nothing', async () => {
  const { images, pulls } = open(['sluice/action-skeleton:latest'])
  for (const name of ['openwhisk/dockerskeleton', 'openwhisk/dockerskeleton:nightly']) {
    expect(await images.ready(users(name), never)).toMatchObject({
      name: 'sluice/action-skeleton:latest',
      sockets: { listen: true },
      bringsAction: false,
    })
  }
  expect(pulls).toEqual([])
})

it('leaves /action as it is where an image of a user brings something there', async () => {
  const { images } = open([], ['a/full:1', 'a/other:1'])
  expect(await images.ready(users('a/full:1'), never)).toMatchObject({ bringsAction: true })
  expect(await images.ready(users('a/other:1'), never)).toMatchObject({ bringsAction: false })
})
