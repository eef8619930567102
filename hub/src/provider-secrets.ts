import type { KeyRing } from '@sluice/core/spi'

/** What a provider needs to be let in: `key` for its state in the hub, `token` shared with its feed actions. */
export type ProviderSecrets = { readonly key: string; readonly token: string }

/** Both follow from the master key, so that a provider elsewhere that has it needs to be told nothing else. */
export function providerSecrets(keyRing: KeyRing, provider: string): ProviderSecrets {
  return { key: keyRing.hash(`provider-key:${provider}`), token: keyRing.hash(`provider-token:${provider}`) }
}
