import type { KeyRing } from '@sluice/core/spi'
import type { CommonParameters } from './common-parameters.ts'
import type { Config, Feed } from './feed.ts'

/** Why a subscription is as it is (feeds.md §2.0). `dateChanged` is epoch milliseconds. */
export type Status = {
  readonly active: boolean
  readonly dateChanged: number
  readonly reason?: { readonly kind: 'AUTO' | 'ADMIN' | 'USER'; readonly statusCode?: number; readonly message: string }
}

/** What is stored under `<provider>/sub/<ns>:<trigger>`: no secret in clear. */
export type SubscriptionDocument = {
  readonly subId: string
  readonly namespace: string
  readonly trigger: string
  readonly feed: string
  /** Increases with each accepted change. */
  readonly generation: number
  readonly createdAtMs: number
  readonly changedAtMs: number
  readonly resumeFromMs: number
  readonly status: Status
  readonly common: CommonParameters
  /** Without the secret parameters. */
  readonly config: Config
  /** Encrypted, by parameter name; `authKey` always. */
  readonly secrets: Readonly<Record<string, string>>
}

export const maskedSecret = '********'

/** Takes the secret parameters out of a config and encrypts them, bound to the subscription and the parameter. */
export function sealConfig(keyRing: KeyRing, bindPrefix: string, feed: Feed, config: Config, authKey: string) {
  const clear: Record<string, unknown> = {}
  const secrets: Record<string, string> = { authKey: keyRing.encrypt(authKey, `${bindPrefix}:authKey`) }
  for (const [name, value] of Object.entries(config)) {
    if (isSecret(feed, name)) secrets[name] = keyRing.encrypt(JSON.stringify(value), `${bindPrefix}:${name}`)
    else clear[name] = value
  }
  return { config: clear, secrets }
}

/** The whole config, for the feed's own use. */
export function openConfig(keyRing: KeyRing, bindPrefix: string, document: SubscriptionDocument): Config {
  if (Object.keys(document.secrets).length <= 1) return document.config
  const config: Record<string, unknown> = { ...document.config }
  for (const [name, text] of Object.entries(document.secrets)) {
    if (name !== 'authKey') config[name] = JSON.parse(keyRing.decrypt(text, `${bindPrefix}:${name}`)) as unknown
  }
  return config
}

export function openAuthKey(keyRing: KeyRing, bindPrefix: string, document: SubscriptionDocument): string {
  return keyRing.decrypt(document.secrets.authKey ?? '', `${bindPrefix}:authKey`)
}

/** The config as READ and lists show it. */
export function maskedConfig(feed: Feed, config: Config): Config {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, isSecret(feed, name) ? maskedSecret : value]),
  )
}

export function isSecret(feed: Feed, name: string): boolean {
  return feed.parameters.some(parameter => parameter.name === name && parameter.secret)
}
