import { bounds, parseImageName, printImageName, SluiceError } from '../../model/index.ts'
import type { Clock, ContainerSpec, Logger } from '../../spi/index.ts'
import { isMissing } from './engine-error.ts'
import type { Engine, ImageFacts, RegistryAuth } from './engine.ts'

/** Which images the engine has, and how the others get there (platform.md §13.1). */
export type Images = {
  /** The image of a container, pulled if that is its rule. Rejects with SLUICE_IMAGE_PULL, or SLUICE_CONTAINER_START
   *  when an image of ours is missing. The pull has its own budget; `signal` ends the waiting, not the pull. */
  ready(spec: Pick<ContainerSpec, 'image' | 'userImage'>, signal: AbortSignal): Promise<Image>
  /** Whether the engine has the image of this kind, as of the last look. */
  has(kind: string): boolean
  /** Kinds whose image the engine does not have, with the image. */
  missing(): readonly { readonly kind: string; readonly image: string }[]
  /** Looks again which images of kinds are there. Rejects when the engine does not answer. */
  look(): Promise<void>
}

/** `sockets`: what the image's runtime does with the hub's directory of sockets. */
export type Image = ImageFacts & {
  readonly name: string
  /** It has something in /action, which a file system in memory there would hide: then /action stays as it is. */
  readonly bringsAction: boolean
  readonly sockets: { readonly listen: boolean; readonly api: boolean }
}

/** Label of images whose runtime listens on `__OW_LISTEN_SOCKET` (`listen`) and reaches the hub by `__OW_API_SOCKET`
 *  (`api`): a list with commas. Only believed of the platform's own images. */
export const socketsLabel = 'sluice.sockets'

export type ImagesOptions = {
  readonly engine: Engine
  readonly clock: Clock
  readonly log: Logger
  /** Images of the platform by kind. */
  readonly kinds: Readonly<Record<string, string>>
  /** Images that users may name and that are the platform's own, by their name without a tag: which image it is here. */
  readonly natives?: Readonly<Record<string, string>>
  /** Labels of containers that are made to look into an image. */
  readonly labels: Readonly<Record<string, string>>
  /** Credentials by registry host; `docker.io` for names without one. */
  readonly registries: readonly { readonly server: string; readonly username: string; readonly password: string }[]
}

export function createImages(options: ImagesOptions): Images {
  const { engine, clock, log, kinds, natives = {}, labels, registries } = options
  const known = new Map<string, { image: Image; sinceMs: number }>()
  const pulls = new Map<string, Promise<void>>()
  const full = new Map<string, boolean>()
  let absent: ReadonlySet<string> = new Set(Object.keys(kinds))

  async function look(name: string, trusted: boolean): Promise<Image> {
    const facts = await engine.image(name)
    const sockets = trusted ? (facts.labels[socketsLabel] ?? '').split(',') : []
    const image = {
      ...facts,
      name,
      bringsAction: !trusted && (await bringsAction(facts.id)),
      sockets: { listen: sockets.includes('listen'), api: sockets.includes('api') },
    }
    if (trusted) known.set(name, { image, sinceMs: clock.monotonicMs() })
    return image
  }

  /** An image's content does not change, so it is looked at once. */
  async function bringsAction(id: string): Promise<boolean> {
    const found = full.get(id) ?? (await engine.brings(id, '/action', labels))
    if (full.size >= bounds.docker.imagesKnownMax) full.clear()
    full.set(id, found)
    return found
  }

  async function own(name: string): Promise<Image> {
    const cached = known.get(name)
    if (cached && clock.monotonicMs() - cached.sinceMs < bounds.docker.imageFactsMs) return cached.image
    try {
      return await look(name, true)
    } catch (error) {
      if (!isMissing(error)) throw error
      throw new SluiceError('SLUICE_CONTAINER_START', `The engine has no image ${name}: ${howToGet}`, { cause: error })
    }
  }

  /** A user's image: the latest is asked for every time, any other tag may be what is here already. */
  async function users(given: string, signal: AbortSignal): Promise<Image> {
    const parsed = parseImageName(given)
    if (!parsed) throw new SluiceError('SLUICE_IMAGE_PULL', 'The action names no image that can be pulled.')
    const name = given.includes('@') || parsed.tag !== undefined ? given : `${given}:latest`
    const native = nativeOf(given)
    if (native !== undefined) return own(native)
    const fatal = (parsed.tag ?? 'latest') === 'latest' && !given.includes('@')
    try {
      await waitFor(pull(name, parsed.registry ?? 'docker.io'), signal)
    } catch (error) {
      signal.throwIfAborted()
      const failed = new SluiceError('SLUICE_IMAGE_PULL', `Image ${printImageName(parsed)} could not be pulled.`, {
        cause: error,
      })
      if (fatal) throw failed
      return look(name, false).catch(() => {
        throw failed
      })
    }
    return look(name, false)
  }

  /** `openwhisk/dockerskeleton`, with whatever tag, is the skeleton that the platform has. */
  function nativeOf(given: string): string | undefined {
    const [place = ''] = given.split(/[:@]/, 1)
    return Object.hasOwn(natives, place) ? natives[place] : undefined
  }

  /** One pull of an image at a time, whoever asks; a failed one may be tried again. */
  function pull(name: string, server: string): Promise<void> {
    let pulling = pulls.get(name)
    if (!pulling) {
      const sinceMs = clock.monotonicMs()
      log.info({ image: name }, 'pulling an image')
      const steps = (status: string | undefined): void => log.debug({ image: name, status }, 'pulling')
      pulling = engine
        .pull(name, authOf(server), ({ status }) => steps(status))
        .then(() => log.info({ image: name, ms: Math.round(clock.monotonicMs() - sinceMs) }, 'image pulled'))
        .finally(() => pulls.delete(name))
      pulls.set(name, pulling)
      pulling.catch((error: unknown) => log.warn({ err: error, image: name }, 'image could not be pulled'))
    }
    return pulling
  }

  function authOf(server: string): RegistryAuth | undefined {
    const found = registries.find(registry => registry.server === server)
    return found && { username: found.username, password: found.password, serveraddress: server }
  }

  return {
    ready: ({ image, userImage }, signal) => (userImage === true ? users(image, signal) : own(image)),
    has: kind => Object.hasOwn(kinds, kind) && !absent.has(kind),
    missing: () => [...absent].map(kind => ({ kind, image: kinds[kind] ?? '' })),
    async look() {
      const gone = new Set<string>()
      for (const [kind, name] of Object.entries(kinds)) {
        try {
          await look(name, true)
        } catch (error) {
          if (!isMissing(error)) throw error
          known.delete(name)
          gone.add(kind)
        }
      }
      absent = gone
    },
  }
}

export const howToGet = 'run `npm run images` to build the images of the kinds.'

/** The promise's outcome, unless the signal comes first. */
async function waitFor<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  let abort = (): void => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    signal.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
