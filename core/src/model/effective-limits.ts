import { bounds } from './bounds.ts'
import type { NamespaceLimits } from './entities.ts'
import { parseSize } from './size.ts'

/** What a namespace may do: its own limits clamped to the system's, or the defaults (rest-api.md §9). */

export type ActionBounds = { readonly [Name in keyof typeof bounds.actionLimits]: number }

/** What the operator set. Absent rates mean: no limit. */
export type SystemLimits = {
  readonly invocationsPerMinute?: number
  readonly concurrentInvocations?: number
  readonly firesPerMinute?: number
  readonly actions: ActionBounds
}

export type Range = { readonly min: number; readonly max: number }

export type ActionRanges = {
  readonly timeout: Range
  readonly memory: Range
  readonly logs: Range
  readonly concurrency: Range
}

/** The ranges that an action of this namespace must keep. */
export function actionRanges(own: NamespaceLimits, { actions: system }: SystemLimits): ActionRanges {
  return {
    timeout: range(own.minActionTimeout, own.maxActionTimeout, system.timeoutMsMin, system.timeoutMsMax),
    memory: range(own.minActionMemory, own.maxActionMemory, system.memoryMbMin, system.memoryMbMax),
    logs: range(own.minActionLogs, own.maxActionLogs, system.logsMbMin, system.logsMbMax),
    concurrency: range(
      own.minActionConcurrency,
      own.maxActionConcurrency,
      system.concurrencyMin,
      system.concurrencyMax,
    ),
  }
}

export function parametersBytesMax(own: NamespaceLimits): number {
  return sizeUpTo(own.maxParameterSize, bounds.api.parametersBytesMax)
}

export function payloadBytesMax(own: NamespaceLimits): number {
  return own.maxPayloadSize === undefined
    ? bounds.api.payloadBytesMax
    : sizeUpTo(own.maxPayloadSize, bounds.api.payloadBytesMax)
}

/** In profile `open` the API still shows a number: OpenWhisk's clients want one. */
export function shownConcurrency(own: NamespaceLimits, system: SystemLimits): number {
  return own.concurrentInvocations ?? system.concurrentInvocations ?? bounds.limitsDefault.concurrentInvocations
}

/** The answer of `GET …/limits` (rest-api.md §9.3). */
export function limitsView(own: NamespaceLimits, system: SystemLimits): Record<string, unknown> {
  const defaults = bounds.limitsDefault
  const ranges = actionRanges(own, system)
  const concurrency = shownConcurrency(own, system)
  return {
    invocationsPerMinute: own.invocationsPerMinute ?? system.invocationsPerMinute ?? defaults.invocationsPerMinute,
    concurrentInvocations: concurrency,
    firesPerMinute: own.firesPerMinute ?? system.firesPerMinute ?? defaults.firesPerMinute,
    minActionMemory: ranges.memory.min,
    maxActionMemory: ranges.memory.max,
    minActionLogs: ranges.logs.min,
    maxActionLogs: ranges.logs.max,
    minActionTimeout: ranges.timeout.min,
    maxActionTimeout: ranges.timeout.max,
    minActionConcurrency: ranges.concurrency.min,
    maxActionConcurrency: ranges.concurrency.max,
    maxParameterSize: `${parametersBytesMax(own)} B`,
    maxActionInstances: concurrency,
    ...pick(own, [
      'allowedKinds',
      'storeActivations',
      'maxPayloadSize',
      'truncationSize',
      'warmedContainerKeepingCount',
      'warmedContainerKeepingTimeout',
    ]),
  }
}

const numbers = [
  'invocationsPerMinute',
  'concurrentInvocations',
  'firesPerMinute',
  'minActionMemory',
  'maxActionMemory',
  'minActionLogs',
  'maxActionLogs',
  'minActionTimeout',
  'maxActionTimeout',
  'minActionConcurrency',
  'maxActionConcurrency',
  'warmedContainerKeepingCount',
] as const
const sizes = ['maxParameterSize', 'maxPayloadSize', 'truncationSize'] as const

/** The overrides in a limits document. One that cannot be read means: none at all. */
export function parseNamespaceLimits(document: Readonly<Record<string, unknown>> | undefined): NamespaceLimits {
  if (document === undefined) return {}
  const { allowedKinds, storeActivations, warmedContainerKeepingTimeout } = document
  const readable =
    numbers.every(name => optional(document[name], value => Number.isInteger(value))) &&
    sizes.every(name => optional(document[name], value => parseSize(value) !== undefined)) &&
    optional(allowedKinds, value => Array.isArray(value) && value.every(kind => typeof kind === 'string')) &&
    optional(storeActivations, value => typeof value === 'boolean') &&
    optional(warmedContainerKeepingTimeout, value => typeof value === 'string')
  if (!readable) return {}
  const names = [...numbers, ...sizes, 'allowedKinds', 'storeActivations', 'warmedContainerKeepingTimeout']
  return pick(document, names)
}

function optional(value: unknown, test: (value: unknown) => boolean): boolean {
  return value === undefined || value === null || test(value)
}

function pick(from: object, names: readonly string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {}
  for (const name of names) {
    const value = (from as Record<string, unknown>)[name]
    if (value !== undefined && value !== null) picked[name] = value
  }
  return picked
}

function range(ownMin: number | undefined, ownMax: number | undefined, min: number, max: number): Range {
  const clamp = (value: number) => Math.min(Math.max(value, min), max)
  return { min: clamp(ownMin ?? min), max: clamp(ownMax ?? max) }
}

function sizeUpTo(size: string | undefined, max: number): number {
  return Math.min(parseSize(size) ?? max, max)
}
