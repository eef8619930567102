export { commonParameters } from './common-parameters.ts'
export type { CommonParameters } from './common-parameters.ts'
export { createDeadLetters } from './dead-letters.ts'
export type { DeadLetter, DeadLetters } from './dead-letters.ts'
export { FeedError, parameterError } from './feed-error.ts'
export { defineFeed } from './feed.ts'
export type {
  CallContext,
  Checked,
  Config,
  Feed,
  FeedEvent,
  FeedParameter,
  FireOutcome,
  Parameters,
  ProviderDefinition,
  ProviderServices,
  ProviderTexts,
  Session,
  SharedSource,
} from './feed.ts'
export { createFirer } from './firer.ts'
export type { Firer } from './firer.ts'
export type { LifecycleAnswer } from './lifecycle.ts'
export { createProvider } from './provider.ts'
export type { Provider, ProviderOptions } from './provider.ts'
export { sign, signatureHeaders, verify } from './signature.ts'
export { ulid } from './ulid.ts'
export { shardCount, shardOf } from './shard.ts'
export { feedActionSource } from './feed-action.ts'
export { isInstalled, lockedParameter, packageEntities } from './package-entities.ts'
export type { InstalledEntity, PackageOptions } from './package-entities.ts'
export { serveProvider } from './serve.ts'
