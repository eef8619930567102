import { bounds, SluiceError } from '../../model/index.ts'
import type { Clock, Labels, Logger, Random } from '../../spi/index.ts'
import type { ApiRelay } from './api-relay.ts'
import { EngineError } from './engine-error.ts'
import type { Engine } from './engine.ts'
import type { Firewall } from './firewall.ts'
import { hasLabels, installationLabel, isAbandoned } from './labels.ts'
import { createSubnets, subnetPlaces } from './subnets.ts'

/** A container's place in a network of its namespace. */
export type NetworkPlace = {
  readonly network: string
  /** How the hub's public API is called from there, if it can be reached. */
  readonly apiHost?: string
  release(): void
}

/**
 * The networks of namespaces: one for each namespace and policy, a further one when its 13 addresses are taken. Containers
 * in one network do not see each other; new flows to this machine are dropped where the firewall can be changed; with
 * `platform` there is no way out at all but the relay. A network that nobody uses is removed after a minute.
 */
export type Networks = {
  take(namespace: string, policy: 'platform' | 'open'): Promise<NetworkPlace>
  /** Removes networks of ours that this life does not know, those of hubs that are gone, and firewall rules without a
   *  network. */
  removeOthers(): Promise<number>
  close(): Promise<void>
}

export type NetworksOptions = {
  readonly engine: Engine
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly firewall: Firewall | undefined
  readonly relay: ApiRelay | undefined
  /** From which the /28 subnets are taken. */
  readonly range: string
  /** Ranges that `open` does not include. */
  readonly denied: readonly string[]
  /** Labels of everything of this invoker, and by which others know whether it is still needed. */
  readonly invoker: Labels
  readonly owner: Labels
}

type Network = {
  readonly key: string
  readonly id: string
  readonly name: string
  readonly bridge: string
  readonly apiHost: string | undefined
  readonly closeDoor: (() => Promise<void>) | undefined
  users: number
  idle?: { cancel(): void }
}

export function createNetworks(options: NetworksOptions): Networks {
  const { engine, clock, random, log, firewall, relay, denied, invoker, owner } = options
  const subnets = createSubnets(options.range)
  const networks = new Set<Network>()
  const opening = new Map<string, Promise<Network>>()
  const making = new Set<string>()
  let next = Math.floor(random.fraction() * subnets.count)
  let closed = false

  async function open(namespace: string, policy: 'platform' | 'open', key: string): Promise<Network> {
    if (networks.size >= bounds.docker.networksMax) {
      throw new SluiceError('SLUICE_CONTAINER_START', 'There are too many networks of namespaces.')
    }
    const serial = random.hexId().slice(0, 10)
    const name = `sluice-${serial}`
    const bridge = bridgeOf(name)
    making.add(name)
    try {
      const { id, gateway } = await makeNetwork(name, bridge, namespace, policy)
      const door = await relay?.listenOn(gateway).catch((error: unknown) => {
        log.warn({ err: error }, 'the hub cannot listen on the bridge of a namespace')
        return undefined
      })
      const apiHost = door && `http://${gateway}:${door.port}`
      const network: Network = { key, id, name, bridge, apiHost, closeDoor: door?.close, users: 0 }
      try {
        // The bridge is elsewhere then, and rules of this machine would guard nothing.
        if (relay && !door && policy === 'platform') {
          throw new SluiceError('SLUICE_CONTAINER_START', 'The bridge of the namespace is not on this machine.')
        }
        await firewall?.guard(bridge, door && { host: gateway, port: door.port }, policy === 'open' ? denied : [])
      } catch (error) {
        await close(network)
        throw error
      }
      networks.add(network)
      return network
    } finally {
      making.delete(name)
    }
  }

  /** Tries one subnet after the other: another hub, or another program, may have the first ones. */
  async function makeNetwork(
    name: string,
    bridge: string,
    namespace: string,
    policy: 'platform' | 'open',
  ): Promise<{ id: string; gateway: string }> {
    for (let tries = 0; tries < subnets.count; tries++) {
      const { cidr, gateway } = subnets.at(next)
      next = (next + 1) % subnets.count
      try {
        const id = await engine.createNetwork({
          Name: name,
          Driver: 'bridge',
          CheckDuplicate: true,
          Internal: policy === 'platform',
          EnableIPv6: false,
          IPAM: { Driver: 'default', Config: [{ Subnet: cidr, Gateway: gateway }] },
          Labels: { ...invoker, ...owner, 'sluice.namespace': namespace, 'sluice.egress': policy },
          Options: {
            'com.docker.network.bridge.name': bridge,
            'com.docker.network.bridge.enable_icc': 'false',
            'com.docker.network.bridge.enable_ip_masquerade': String(policy === 'open'),
            'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1',
          },
        })
        return { id, gateway }
      } catch (error) {
        const taken = error instanceof EngineError && /overlap|conflicts with/i.test(error.message)
        if (!taken) throw error
      }
    }
    throw new SluiceError('SLUICE_CONTAINER_START', `No subnet of ${options.range} is free.`)
  }

  async function close(network: Network): Promise<void> {
    networks.delete(network)
    network.idle?.cancel()
    await network.closeDoor?.()
    await engine.removeNetwork(network.id)
    await firewall?.unguard(network.bridge)
  }

  function enter(network: Network): NetworkPlace {
    network.idle?.cancel()
    network.users++
    let inside = true
    return {
      network: network.name,
      ...(network.apiHost === undefined ? {} : { apiHost: network.apiHost }),
      release() {
        if (!inside) return
        inside = false
        if (--network.users > 0 || closed) return
        network.idle = clock.setTimer(bounds.docker.networkIdleMs, () => void closeIdle(network), { unref: true })
      },
    }
  }

  async function closeIdle(network: Network): Promise<void> {
    if (network.users > 0 || !networks.has(network)) return
    await close(network).catch((error: unknown) =>
      log.warn({ err: error, network: network.name }, 'network could not be removed; it will be tried again'),
    )
  }

  return {
    async take(namespace, policy) {
      const key = `${policy} ${namespace}`
      for (;;) {
        if (closed) throw new SluiceError('SLUICE_CLOSED', 'The container factory is closed.')
        const free = [...networks].find(network => network.key === key && network.users < subnetPlaces)
        if (free) return enter(free)
        let begun = opening.get(key)
        if (!begun) {
          begun = open(namespace, policy, key).finally(() => opening.delete(key))
          opening.set(key, begun)
        }
        await begun
      }
    },
    async removeOthers() {
      const known = (name: string): boolean => making.has(name) || [...networks].some(network => network.name === name)
      const strays = (await engine.networks([installationLabel])).filter(({ name, labels }) =>
        hasLabels(labels, invoker) ? !known(name) : isAbandoned(labels),
      )
      let removed = 0
      for (const { id, name } of strays) {
        try {
          await engine.removeNetwork(id)
          await firewall?.unguard(bridgeOf(name))
          removed++
        } catch (error) {
          // A container of it may be on its way out: the next look finds it again.
          log.debug({ err: error, network: name }, 'network is still in use')
        }
      }
      if (making.size === 0) await firewall?.keepOnly(new Set([...networks].map(({ bridge }) => bridge)))
      return removed
    },
    async close() {
      closed = true
      await Promise.allSettled(opening.values())
      const results = await Promise.allSettled([...networks].map(close))
      for (const result of results) {
        if (result.status === 'rejected') log.warn({ err: result.reason as unknown }, 'network could not be removed')
      }
    },
  }
}

/** What the machine calls the bridge of a network of ours: at most 15 characters. */
function bridgeOf(name: string): string {
  return name.replace('sluice-', 'slc')
}
