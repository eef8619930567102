import { SluiceError } from '../../model/index.ts'
import type { ContainerSpec, Logger } from '../../spi/index.ts'
import type { Image } from './images.ts'
import type { NetworkPlace, Networks } from './networks.ts'
import type { SocketDirectories, SocketDirectory } from './socket-directories.ts'

/** What a container has beside itself. */
export type ContainerPlace = {
  readonly network: NetworkPlace | undefined
  readonly sockets: SocketDirectory | undefined
  /** Its runtime passes calls of the API on to the hub's socket. */
  readonly door: boolean
}

export type ContainerPlacesOptions = {
  readonly networks: Networks
  readonly directories: SocketDirectories
  readonly log: Logger
  /** Whether containers may be called by a unix socket at all. */
  readonly sockets: boolean
  /** Whether there is a way to the hub's public API. */
  readonly api: boolean
  /** Whether the firewall keeps containers in networks from this machine. */
  readonly enforced: boolean
  /** Namespaces whose containers run also where it does not. */
  readonly trusted: readonly string[]
}

/** Where containers may send to, and how they are reached: by the policy, and by what their images can. */
export class ContainerPlaces {
  readonly #options: ContainerPlacesOptions

  constructor(options: ContainerPlacesOptions) {
    this.#options = options
  }

  /** Rejects with SLUICE_CONTAINER_START when the policy cannot be kept. */
  async take(spec: ContainerSpec, image: Image): Promise<ContainerPlace> {
    const { directories, sockets: allowed, api } = this.#options
    const socket = allowed && image.sockets.listen
    const door = socket && image.sockets.api && api && spec.egress === 'platform'
    const network = await this.#network(spec, !socket || (spec.egress === 'platform' && api && !door))
    try {
      return { network, sockets: socket ? await directories.create(door) : undefined, door }
    } catch (error) {
      network?.release()
      throw error
    }
  }

  async release({ network, sockets }: ContainerPlace): Promise<void> {
    network?.release()
    await sockets
      ?.remove()
      .catch((error: unknown) =>
        this.#options.log.warn({ err: error }, 'the directory of a container could not be removed'),
      )
  }

  async #network(spec: ContainerSpec, needed: boolean): Promise<NetworkPlace | undefined> {
    const { networks, enforced, trusted } = this.#options
    // A stem cell does not know its namespace yet: in a network of its own it meets nobody's.
    const namespace = spec.namespace ?? `stem cell ${spec.name}`
    if (spec.egress === 'open') return networks.take(namespace, 'open')
    if (!needed) return undefined
    if (!enforced && !trusted.includes(namespace)) {
      const text = `Egress of ${spec.name} cannot be limited to ${spec.egress} here: the hub may not change the firewall.`
      throw new SluiceError('SLUICE_CONTAINER_START', text)
    }
    return networks.take(namespace, 'platform')
  }
}
