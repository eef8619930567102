import { createHash } from 'node:crypto'
import { watch } from 'node:fs'
import { access, chmod, link, mkdir, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SluiceError } from '../../model/index.ts'
import { makeOwnedDirectory, removeAbandonedDirectories } from '../ownership/owned-directories.ts'

/** `sun_path` holds 108 bytes on Linux with its end mark. */
const socketPathBytesMax = 107
/** Names inside a container's directory: its own socket, and the hub's door to the public API. */
const runtimeSocket = 's'
const apiSocket = 'api'

/** Where a container sees its directory. */
export const mountPoint = '/run/sluice'
export const runtimeSocketInside = `${mountPoint}/${runtimeSocket}`
export const apiSocketInside = `${mountPoint}/${apiSocket}`

/** One container's directory with its sockets, which is mounted into it: the only mount it has. */
export type SocketDirectory = {
  readonly directory: string
  /** The socket that the runtime makes when it listens. */
  readonly socketPath: string
  /** Resolves when that socket is there and the container can make no more files beside it; to false after `remove`. */
  readonly listening: Promise<boolean>
  remove(): Promise<void>
}

/**
 * The hub's directory of socket directories. A mounted directory lies on the hub's own disk, so the container may write
 * there only until its runtime listens, which is before any code of a user runs.
 */
export class SocketDirectories {
  readonly #parent: string
  readonly #prefix: string
  readonly #note: string | undefined
  #root: Promise<string> | undefined
  #count = 0

  /** `owner` names the invoker over restarts; directories of an earlier life are found by it. `note`: the process that
   *  needs them. */
  constructor(owner: string, note: string | undefined, parent = tmpdir()) {
    this.#parent = parent
    this.#note = note
    this.#prefix = `sluice-d-${createHash('sha256').update(owner).digest('hex').slice(0, 12)}-`
  }

  /** The private root, made at the first use. Rejects with SLUICE_CONTAINER_START when its path is too long. */
  root(): Promise<string> {
    this.#root ??= this.#createRoot()
    return this.#root
  }

  /** Where the relay to the public API listens; every container's directory gets a link to it. */
  async apiSocketPath(): Promise<string> {
    return join(await this.root(), apiSocket)
  }

  /** Makes a container's directory, with the door to the public API if `api`. */
  async create(api: boolean): Promise<SocketDirectory> {
    const directory = join(await this.root(), String(++this.#count))
    await mkdir(directory, { mode: 0o777 })
    await chmod(directory, 0o777)
    if (api) await link(await this.apiSocketPath(), join(directory, apiSocket))
    const socketPath = join(directory, runtimeSocket)
    const { listening, stop } = whenThere(directory, socketPath)
    return {
      directory,
      socketPath,
      listening,
      async remove() {
        stop()
        await rm(directory, { recursive: true, force: true })
      },
    }
  }

  /** Removes what earlier lives of this invoker left, and keeps its own. */
  async removeOthers(): Promise<void> {
    const own = await this.#root
    for (const name of await readdir(this.#parent).catch(() => [])) {
      const path = join(this.#parent, name)
      if (name.startsWith(this.#prefix) && path !== own) await rm(path, { recursive: true, force: true })
    }
  }

  /** Removes those of hubs whose process is gone. */
  async removeAbandoned(): Promise<void> {
    await removeAbandonedDirectories([this.#parent, tmpdir()])
  }

  async close(): Promise<void> {
    const root = await this.#root?.catch(() => undefined)
    if (root !== undefined) await rm(root, { recursive: true, force: true })
  }

  async #createRoot(): Promise<string> {
    const longest = Buffer.byteLength(join(this.#parent, `${this.#prefix}XXXXXX`, '1234567890', runtimeSocket))
    if (longest > socketPathBytesMax) {
      throw new SluiceError('SLUICE_CONTAINER_START', `${this.#parent} has too long a path for unix sockets.`)
    }
    await mkdir(this.#parent, { recursive: true })
    return makeOwnedDirectory(join(this.#parent, this.#prefix), this.#note)
  }
}

/** Waits for the socket's file and then takes the right to write from everybody but the hub. */
function whenThere(directory: string, socketPath: string): { listening: Promise<boolean>; stop: () => void } {
  let finish: (there: boolean) => void = () => undefined
  const listening = new Promise<boolean>(resolve => (finish = resolve))
  let looking = false
  let again = false
  const look = async (): Promise<void> => {
    again = true
    if (looking) return
    looking = true
    while (again) {
      again = false
      if (
        !(await access(socketPath).then(
          () => true,
          () => false,
        ))
      )
        continue
      watcher.close()
      await chmod(directory, 0o755).catch(() => undefined)
      return finish(true)
    }
    looking = false
  }
  const watcher = watch(directory, { persistent: false }, () => void look())
  watcher.on('error', () => undefined)
  const stop = (): void => {
    watcher.close()
    finish(false)
  }
  return { listening, stop }
}
