import { bounds } from '../../model/index.ts'
import type { Clock, Labels, Logger, Timer } from '../../spi/index.ts'
import { CleanupGate } from '../ownership/cleanup-gate.ts'
import type { ContainerTable } from './container-table.ts'
import type { Engine, ListedContainer } from './engine.ts'
import type { Images } from './images.ts'
import { hasLabels, installationLabel, isAbandoned } from './labels.ts'
import type { Networks } from './networks.ts'
import type { SocketDirectories } from './socket-directories.ts'

export type ReconcilerOptions = {
  readonly engine: Engine
  readonly clock: Clock
  readonly log: Logger
  readonly table: ContainerTable
  readonly networks: Networks
  readonly directories: SocketDirectories
  readonly images: Images
  /** Labels of everything of this invoker, and of what it made in this life. */
  readonly invoker: Labels
  readonly life: Labels
  readonly engineUp: () => boolean
}

/**
 * Makes engine and table agree: at the start, every 30 s, and when the engine is back. What has this invoker's labels and
 * is in no table goes; so does what belongs to a hub whose process is gone, whose own next start may never come.
 */
export class Reconciler {
  /** Closed while what earlier lives of this invoker left is removed at the start. */
  readonly gate = new CleanupGate()
  readonly #options: ReconcilerOptions
  #timer: Timer | undefined
  #underWay: Promise<void> | undefined
  #cleaning: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(options: ReconcilerOptions) {
    this.#options = options
  }

  /** Looks again and again from now on. */
  start(): void {
    if (this.#closed) return
    const again = (): void => void this.reconcile().then(() => this.start())
    this.#timer = this.#options.clock.setTimer(bounds.docker.reconcileMs, again, { unref: true })
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    await Promise.all([this.#underWay, this.#cleaning])
  }

  /** Resolves to how many containers of earlier lives of this invoker were removed; what other hubs left follows. */
  cleanup(): Promise<number> {
    const found = this.#list()
    const own = this.gate.hold(found.then(({ strays }) => this.#removeAll(strays)))
    const rest = own
      .catch(() => undefined)
      .then(async () => {
        await this.#options.directories.removeOthers()
        await this.#removeAbandoned((await found).abandoned)
      })
      .catch((error: unknown) => this.#options.log.warn({ err: error }, 'what hubs left could not be removed'))
    this.#cleaning = Promise.all([this.#cleaning, rest])
    return own
  }

  /** One at a time; never rejects. */
  reconcile(): Promise<void> {
    this.#underWay ??= this.#agree()
      .catch((error: unknown) => this.#options.log.warn({ err: error }, 'containers could not be reconciled'))
      .finally(() => (this.#underWay = undefined))
    return this.#underWay
  }

  async #agree(): Promise<void> {
    const { engineUp, images, log, table } = this.#options
    if (this.#closed || !engineUp()) return
    const before = table.all()
    const { strays, abandoned, present } = await this.#list()
    for (const { id } of before) if (!present.has(id)) table.get(id)?.missing()
    await this.#removeAll(strays)
    if (strays.length > 0) log.warn({ containers: strays.length }, 'containers that belonged to nobody were removed')
    await this.#removeAbandoned(abandoned)
    await images.look()
  }

  /** `strays` have this invoker's labels and are in no table; `abandoned` are what other hubs left. */
  async #list(): Promise<{ strays: ListedContainer[]; abandoned: ListedContainer[]; present: ReadonlySet<string> }> {
    const { engine, invoker, life, table } = this.#options
    const found = await engine.list([installationLabel])
    const known = ({ id, labels }: ListedContainer): boolean =>
      hasLabels(labels, life) && table.knows(id, labels['sluice.name'] ?? '')
    const isOwn = ({ labels }: ListedContainer): boolean => hasLabels(labels, invoker)
    return {
      strays: found.filter(container => isOwn(container) && !known(container)),
      abandoned: found.filter(container => !isOwn(container) && isAbandoned(container.labels, container.running)),
      present: new Set(found.map(({ id }) => id)),
    }
  }

  /** With their networks and directories. */
  async #removeAbandoned(containers: readonly ListedContainer[]): Promise<void> {
    const { directories, log, networks } = this.#options
    const removed = await this.#removeAll(containers).finally(() => networks.removeOthers())
    if (removed > 0) log.warn({ containers: removed }, 'containers of hubs that are gone were removed')
    await directories.removeAbandoned()
  }

  /** Resolves to how many; rejects at the end when one could not be removed. */
  async #removeAll(containers: readonly ListedContainer[]): Promise<number> {
    const results = await Promise.allSettled(containers.map(({ id }) => this.#options.engine.remove(id)))
    for (const result of results) if (result.status === 'rejected') throw result.reason
    return containers.length
  }
}
