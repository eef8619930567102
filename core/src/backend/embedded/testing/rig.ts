import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, systemRandom, type Logger } from '../../../spi/index.ts'
import type { Opener } from '../../../../contract/index.ts'
import { openEngine, type Engine } from '../engine.ts'
import { endOf } from '../keys.ts'
import { openEmbeddedBackend, type EmbeddedBackend, type EmbeddedOptions } from '../open.ts'

/** For tests: backends on folders of their own, and an end without a farewell. */

export const silent: Logger = { error() {}, warn() {}, info() {}, debug() {}, child: () => silent }

export type TestBackend = {
  backend: EmbeddedBackend
  /** What `onFatal` was called with. */
  fatal: Error[]
  /** Keys in the database that begin with the prefix. */
  keys: (prefix: string) => Promise<string[]>
  /** Ends it as a kill would: what is not written by then never will be. */
  crash: () => Promise<void>
}

/** Opens the folder. */
export async function openTestBackend(directory: string, options: Partial<EmbeddedOptions> = {}): Promise<TestBackend> {
  const fatal: Error[] = []
  let engine: Engine | undefined
  let dead = false
  const backend = await openEmbeddedBackend({
    directory,
    clock: systemClock,
    random: systemRandom,
    log: silent,
    onFatal: error => fatal.push(error),
    open: async (path, log) => {
      engine = await openEngine(path, log)
      return faulty(engine, { beforeWrite: () => (dead ? new Promise(() => undefined) : undefined) })
    },
    ...options,
  })
  return {
    backend,
    fatal,
    keys: async prefix => (await engine?.keys({ gte: prefix, lt: endOf(prefix) }).all()) ?? [],
    async crash() {
      dead = true
      await engine?.close()
    },
  }
}

/** The database with something in the way of its synced writes. */
export function faulty(engine: Engine, { beforeWrite }: { beforeWrite: () => Promise<void> | undefined }): Engine {
  const batch = () => {
    const real = engine.batch()
    const write = async () => {
      await beforeWrite()
      return real.write({ sync: true })
    }
    return Object.assign(Object.create(real) as typeof real, {
      put: (key: string, value: string) => real.put(key, value),
      del: (key: string) => real.del(key),
      close: () => real.close(),
      write,
    })
  }
  return new Proxy(engine, {
    get(target, name) {
      if (name === 'batch') return batch
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

export async function temporaryDirectory(): Promise<{ directory: string; remove: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-embedded-'))
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) }
}

/** For the contract suites: one part of a backend on a folder of its own. */
export function openerOf<T>(part: (backend: EmbeddedBackend) => T): Opener<T> {
  return async () => {
    const { directory, remove } = await temporaryDirectory()
    let current = await openTestBackend(directory)
    let ended = false
    return {
      subject: part(current.backend),
      async reopen(how) {
        ended = true
        await (how === 'crash' ? current.crash() : current.backend.close())
        current = await openTestBackend(directory)
        ended = false
        return part(current.backend)
      },
      async dispose() {
        if (!ended) await current.backend.close()
        await remove()
      },
    }
  }
}
