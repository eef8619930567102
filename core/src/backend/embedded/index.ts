export { openEmbeddedBackend } from './open.ts'
export type { EmbeddedBackend, EmbeddedOptions, EmbeddedStats } from './open.ts'
export type { Sabotage } from './commit-queue.ts'
