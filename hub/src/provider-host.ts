import { createRemoteStateStore } from '@sluice/core/client'
import { systemClock, systemRandom, type Logger } from '@sluice/core/spi'
import { alarmsProvider } from '@sluice/provider-alarms'
import { createProvider, serveProvider, type ProviderDefinition } from '@sluice/provider-kit'
import { createKeyRing } from './key-ring.ts'
import { providerSecrets } from './provider-secrets.ts'

/** The providers that can be hosted, by name. */
export const hostedProviders: Readonly<Record<string, () => ProviderDefinition>> = { alarms: () => alarmsProvider() }

export type ProviderHostOptions = {
  provider: string
  /** The hub's API, which is fired at. */
  hub: string
  /** The hub's door for operators, where its state is served, when that is another. */
  state?: string
  /** The provider's key for the hub's state, and the secret shared with its feed actions, where they do not follow from
   *  the master key. */
  key?: string
  token?: string
  /** Master keys, each 32 bytes; the hub's own, so that subscriptions made in its process can be read. */
  masterKeys: readonly Uint8Array[]
  /** Names this installation in event sources. */
  instance: string
  host: string
  port: number
}

export type ProviderHost = { readonly port: number; stop(): Promise<void> }

/** Runs one provider alone, against a hub's URL; everything it must remember lies in the hub's state store. */
export async function startProviderHost(options: ProviderHostOptions, log: Logger): Promise<ProviderHost> {
  const definition = hostedProviders[options.provider]?.()
  if (!definition) throw new TypeError(`there is no provider '${options.provider}'`)
  const { hub, instance, host, port } = options
  const keyRing = createKeyRing(options.masterKeys)
  const { key, token } = { ...providerSecrets(keyRing, definition.name), ...given(options) }
  const state = createRemoteStateStore({
    url: options.state ?? hub,
    provider: definition.name,
    key,
    clock: systemClock,
  })
  const provider = createProvider({
    definition,
    state,
    keyRing,
    clock: systemClock,
    random: systemRandom,
    log,
    hubUrl: hub,
    instance,
    token,
  })
  try {
    await provider.start()
    const server = await serveProvider(provider, { host, port })
    return {
      port: server.port,
      async stop() {
        await server.close()
        await provider.stop()
        await state.close()
      },
    }
  } catch (error) {
    await provider.stop()
    await state.close()
    throw error
  }
}

function given({ key, token }: ProviderHostOptions): { key?: string; token?: string } {
  return { ...(key ? { key } : {}), ...(token ? { token } : {}) }
}
