import { createHash } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SluiceError } from '../../model/index.ts'
import { makeOwnedDirectory, removeAbandonedDirectories } from '../ownership/owned-directories.ts'

/** `sun_path` of a socket address holds 104 bytes on macOS, 108 on Linux, with its end mark. */
const socketPathBytesMax = 103
/** Room for a container's number and the socket's name below the factory's directory. */
const tailBytesMax = '/'.length + 10 + '/s'.length

/** The private directory of a factory: one folder for each container. Made at the first use. */
export class ContainerDirectories {
  readonly #parents: readonly string[]
  readonly #prefix: string
  readonly #note: string | undefined
  #root: Promise<string> | undefined

  /** `owner` names the invoker over restarts; folders of an earlier life are found by it. `note`: the process that needs
   *  them. */
  constructor(owner: string, note: string | undefined, parent?: string) {
    this.#note = note
    this.#parents = [...(parent === undefined ? [] : [parent]), tmpdir(), '/tmp'].filter(isShort)
    this.#prefix = `sluice-${createHash('sha256').update(owner).digest('hex').slice(0, 12)}-`
  }

  /** Makes the folder for container number `number`; only this user can enter it. */
  async create(number: number): Promise<{ directory: string; workingDirectory: string; socketPath: string }> {
    this.#root ??= this.#createRoot()
    const directory = join(await this.#root, String(number))
    const workingDirectory = join(directory, 'work')
    await mkdir(workingDirectory, { recursive: true, mode: 0o700 })
    return { directory, workingDirectory, socketPath: join(directory, 's') }
  }

  /** Removes what earlier lives of this invoker left, and keeps its own. */
  async removeOthers(): Promise<void> {
    const own = await this.#root
    for (const parent of new Set(this.#parents)) {
      for (const name of await readdir(parent).catch(() => [])) {
        const path = join(parent, name)
        if (name.startsWith(this.#prefix) && path !== own) await remove(path)
      }
    }
  }

  /** Removes those of hubs whose process is gone. */
  async removeAbandoned(): Promise<void> {
    await removeAbandonedDirectories(this.#parents)
  }

  async close(): Promise<void> {
    const root = await this.#root?.catch(() => undefined)
    if (root !== undefined) await remove(root)
  }

  async #createRoot(): Promise<string> {
    const [parent] = this.#parents
    if (parent === undefined) {
      throw new SluiceError('SLUICE_CONTAINER_START', 'No directory has a path short enough for a unix socket.')
    }
    await mkdir(parent, { recursive: true })
    return makeOwnedDirectory(join(parent, this.#prefix), this.#note)
  }
}

function isShort(parent: string): boolean {
  const random = 'XXXXXX'
  const root = Buffer.byteLength(parent) + '/sluice--'.length + 12 + random.length
  return root + tailBytesMax <= socketPathBytesMax
}

/** Another user's directory of that name, or one an action locked, is none of our business. */
async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => undefined)
}
