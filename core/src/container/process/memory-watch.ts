import { bounds } from '../../model/index.ts'
import type { Clock, Logger, Timer } from '../../spi/index.ts'
import type { ProcessInfo, ProcessTable } from './process-table.ts'

/** A container as the watch sees it. */
export interface Watched {
  readonly marker: string
  readonly leader: number
  readonly memoryBytesMax: number
  /** Stopped processes take nothing more: they are passed over. */
  readonly suspended: boolean
  /** All processes found so far but the leader, by pid, with their start time. The watch keeps it. */
  readonly followers: Map<number, string>
  /** Called once: the container is over a limit and has to go. */
  exceeded(limit: 'memory' | 'processes'): void
}

/**
 * Holds containers to their memory: one timer for all adds up the resident memory of each one's processes every
 * `sampleMs`. New processes are looked for every second, and at each sample while there are any. No timer runs while
 * there are no containers.
 */
export class MemoryWatch {
  readonly #table: ProcessTable
  readonly #clock: Clock
  readonly #log: Logger
  readonly #sampleMs: number
  readonly #watched = new Set<Watched>()
  #timer: Timer | undefined
  #sampling = false
  #lookMs = Number.NEGATIVE_INFINITY

  constructor(options: { table: ProcessTable; clock: Clock; log: Logger; sampleMs: number }) {
    this.#table = options.table
    this.#clock = options.clock
    this.#log = options.log
    this.#sampleMs = options.sampleMs
  }

  add(watched: Watched): void {
    this.#watched.add(watched)
    this.#schedule()
  }

  remove(watched: Watched): void {
    this.#watched.delete(watched)
    if (this.#watched.size > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #schedule(): void {
    if (this.#timer || this.#sampling || this.#watched.size === 0) return
    this.#timer = this.#clock.setTimer(this.#sampleMs, () => void this.#sample(), { unref: true })
  }

  async #sample(): Promise<void> {
    this.#timer = undefined
    this.#sampling = true
    try {
      const running = [...this.#watched].filter(watched => !watched.suspended)
      if (running.length > 0) await this.#check(running)
    } catch (error) {
      this.#log.error({ err: error }, 'container memory could not be sampled')
    } finally {
      this.#sampling = false
      this.#schedule()
    }
  }

  async #check(running: readonly Watched[]): Promise<void> {
    const now = this.#clock.monotonicMs()
    if (now - this.#lookMs >= bounds.container.processLookMs) {
      this.#lookMs = this.#adopt(await this.#table.appeared()) ? Number.NEGATIVE_INFINITY : now
    }
    const resident = await this.#table.residentBytes(running.flatMap(each => [each.leader, ...each.followers.keys()]))
    for (const watched of running) {
      const alive = [...watched.followers.keys()].filter(pid => resident.has(pid))
      if (alive.length < watched.followers.size) keepOnly(watched.followers, alive)
      if (alive.length >= bounds.container.processesMax) this.#exceed(watched, 'processes')
      else if (await this.#isOver(watched, alive, resident)) this.#exceed(watched, 'memory')
    }
  }

  async #isOver(watched: Watched, followers: number[], resident: Map<number, number>): Promise<boolean> {
    const pids = [watched.leader, ...followers]
    const sum = pids.reduce((total, pid) => total + (resident.get(pid) ?? 0), 0)
    if (sum <= watched.memoryBytesMax) return false
    // Resident memory counts pages that several processes share several times: a fork alone must not look like excess.
    return followers.length === 0 || (await this.#table.proportionalBytes(pids)) > watched.memoryBytesMax
  }

  #exceed(watched: Watched, limit: 'memory' | 'processes'): void {
    if (!this.#watched.has(watched)) return
    this.remove(watched)
    watched.exceeded(limit)
  }

  /** Gives new processes to the containers they belong to; tells whether there were any. */
  #adopt(fresh: readonly ProcessInfo[]): boolean {
    const owners = new Map<number | string, Watched>()
    for (const watched of this.#watched) {
      owners.set(watched.marker, watched).set(watched.leader, watched)
      for (const pid of watched.followers.keys()) owners.set(pid, watched)
    }
    let adopted = false
    for (const info of fresh) {
      const owner = owners.get(info.marker ?? 0) ?? owners.get(info.group) ?? owners.get(info.parent)
      if (!owner || info.pid === owner.leader || info.pid === process.pid) continue
      owner.followers.set(info.pid, info.started)
      owners.set(info.pid, owner)
      adopted = true
    }
    return adopted
  }
}

function keepOnly(followers: Map<number, string>, alive: readonly number[]): void {
  const kept = new Set(alive)
  for (const pid of followers.keys()) if (!kept.has(pid)) followers.delete(pid)
}
