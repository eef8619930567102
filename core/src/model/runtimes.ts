import { SluiceError } from './errors.ts'
import { printImageName, sameImage, type ImageName } from './image-name.ts'
import { parseSize } from './size.ts'

/** The manifest: which kinds of actions there are, and what runs them (runtimes.md §3). */

export type RuntimeKind = {
  readonly family: string
  readonly kind: string
  readonly image: ImageName
  readonly default: boolean
  readonly deprecated: boolean
  /** Big code goes to an attachment. */
  readonly attached: boolean
  readonly requireMain: boolean
  readonly sentinelledLogs: boolean
  readonly stemCells: readonly StemCell[]
}

export type StemCell = { readonly initialCount: number; readonly memoryMb: number; readonly reactive?: unknown }

export type RuntimesManifest = {
  /** In the order of the document. */
  readonly families: readonly { readonly family: string; readonly kinds: readonly RuntimeKind[] }[]
  readonly blackboxes: readonly ImageName[]
  kind(name: string): RuntimeKind | undefined
  /** The kind itself, or the default of `family:default`; nothing when it is unknown. */
  resolve(name: string): RuntimeKind | undefined
  /** Whether a blackbox image is treated like the platform's own (not pulled, sentinels awaited). */
  isNativeImage(image: ImageName): boolean
}

/** What `GET /` shows of a kind (rest-api.md §1.2). */
export type RuntimeInfo = {
  readonly kind: string
  readonly image: string
  readonly deprecated: boolean
  readonly default: boolean
  readonly attached: boolean
  readonly requireMain: boolean
}

type Fields = Readonly<Record<string, unknown>>

/** Reads a `runtimes.json`. Throws SLUICE_CONFIG with the manifest's mistake. Unknown fields are ignored. */
export function parseRuntimesManifest(document: unknown, systemRegistry = ''): RuntimesManifest {
  const { runtimes, blackboxes } = fieldsOf(document, 'the manifest')
  const families = Object.entries(fieldsOf(runtimes, 'runtimes')).map(([family, kinds]) => ({
    family,
    kinds: familyKinds(family, listOf(kinds, `runtimes.${family}`), systemRegistry),
  }))
  const byKind = new Map<string, RuntimeKind>()
  for (const kind of families.flatMap(family => family.kinds)) {
    if (byKind.has(kind.kind)) throw wrong(`kind ${kind.kind} is defined twice`)
    byKind.set(kind.kind, kind)
  }
  const natives = listOf(blackboxes ?? [], 'blackboxes').map(image => imageOf(image, 'blackboxes', ''))
  return {
    families,
    blackboxes: natives,
    kind: name => byKind.get(name),
    resolve(name) {
      const family = /^([a-z0-9]+):default$/.exec(name)?.[1]
      if (family === undefined) return byKind.get(name)
      return families.find(entry => entry.family === family)?.kinds.find(kind => kind.default)
    },
    isNativeImage: image => natives.some(native => sameImage(native, image)),
  }
}

/** The manifest with only the kinds that can be started here; a family whose default went takes its first one. */
export function withKinds(manifest: RuntimesManifest, keep: (kind: string) => boolean): RuntimesManifest {
  const runtimes: Record<string, object[]> = {}
  for (const { family, kinds } of manifest.families) {
    const kept = kinds.filter(kind => keep(kind.kind))
    const defaultKind = kept.find(kind => kind.default) ?? kept[0]
    if (kept.length === 0) continue
    runtimes[family] = kept.map(kind => ({
      ...kind,
      default: kind === defaultKind,
      attached: kind.attached ? {} : undefined,
      stemCells: kind.stemCells.map(cell => ({ ...cell, memory: `${cell.memoryMb} MB` })),
    }))
  }
  return parseRuntimesManifest({ runtimes, blackboxes: manifest.blackboxes })
}

export function runtimeInfo(kind: RuntimeKind): RuntimeInfo {
  const { deprecated, attached, requireMain } = kind
  return {
    kind: kind.kind,
    image: printImageName(kind.image),
    deprecated,
    default: kind.default,
    attached,
    requireMain,
  }
}

/** The sentence for a kind that the manifest does not know. */
export function unknownKindText(kind: string, manifest: RuntimesManifest): string {
  const known = manifest.families.flatMap(family => family.kinds.map(entry => entry.kind))
  const listed = [...known, 'sequence', 'blackbox'].map(name => `'${name}'`).join(', ')
  return `The specified runtime '${kind}' is not supported by this platform. Valid values are: ${listed}.`
}

function familyKinds(family: string, entries: readonly unknown[], registry: string): RuntimeKind[] {
  const kinds = entries.map(entry => kindOf(family, entry, registry))
  const defaults = kinds.filter(kind => kind.default)
  if (defaults.length > 1) {
    throw wrong(`Found more than one default for ${family}: ${defaults.map(kind => kind.kind).join(', ')}`)
  }
  if (defaults.length === 1) return kinds
  if (kinds.length > 1) throw wrong(`${family} has multiple versions, but no default.`)
  return kinds.map(kind => ({ ...kind, default: true }))
}

function kindOf(family: string, entry: unknown, registry: string): RuntimeKind {
  const fields = fieldsOf(entry, `runtimes.${family}`)
  if (typeof fields['kind'] !== 'string') throw wrong(`a kind of ${family} has no name`)
  return {
    family,
    kind: fields['kind'],
    image: imageOf(fields['image'], fields['kind'], registry),
    default: fields['default'] === true,
    deprecated: fields['deprecated'] === true,
    attached: fields['attached'] !== undefined && fields['attached'] !== null,
    requireMain: fields['requireMain'] === true,
    sentinelledLogs: fields['sentinelledLogs'] !== false,
    stemCells: listOf(fields['stemCells'] ?? [], `stemCells of ${fields['kind']}`).map(stemCellOf),
  }
}

function imageOf(value: unknown, where: string, systemRegistry: string): ImageName {
  const { registry, prefix, name, tag } = fieldsOf(value, `the image of ${where}`)
  if (typeof name !== 'string' || name === '') throw wrong(`the image of ${where} has no name`)
  const host = typeof registry === 'string' && registry !== '' ? registry : systemRegistry
  return {
    ...(host === '' ? {} : { registry: host.replace(/\/+$/, '') }),
    ...(typeof prefix === 'string' && prefix !== '' ? { prefix } : {}),
    name,
    ...(typeof tag === 'string' && tag !== '' ? { tag } : {}),
  }
}

function stemCellOf(value: unknown): StemCell {
  const { initialCount, count, memory, reactive } = fieldsOf(value, 'a stem cell')
  const number = initialCount ?? count
  if (number === undefined && memory === undefined) throw wrong('both initialCount and memory are required')
  if (memory === undefined) throw wrong(`memory is required, just provide initialCount: ${String(number)}`)
  const size = typeof memory === 'string' ? memory : JSON.stringify(memory)
  if (number === undefined) throw wrong(`initialCount is required, just provide memory: ${size}`)
  if (typeof number !== 'number' || !(number > 0)) throw wrong('initialCount must be positive')
  const bytes = parseSize(memory)
  if (bytes === undefined) throw wrong(`${size} is no size`)
  if (reactive !== undefined) checkReactive(reactive)
  return {
    initialCount: number,
    memoryMb: Math.ceil(bytes / 1024 ** 2),
    ...(reactive === undefined ? {} : { reactive }),
  }
}

function checkReactive(value: unknown): void {
  const { minCount, maxCount, ttl, threshold, increment } = fieldsOf(value, 'reactive') as Record<string, number>
  if (!(Number(minCount) >= 0)) throw wrong('minCount must be greater than or equal to 0')
  if (!(Number(maxCount) > 0)) throw wrong('maxCount must be positive')
  if (Number(minCount) > Number(maxCount)) throw wrong('minCount must not be greater than maxCount')
  if (!(parseFloat(String(ttl)) > 0)) throw wrong('ttl must be positive')
  if (!(Number(threshold) > 0)) throw wrong('threshold must be positive')
  if (!(Number(increment) > 0) || Number(increment) > Number(maxCount)) {
    throw wrong('increment must be positive and not greater than maxCount')
  }
}

function fieldsOf(value: unknown, what: string): Fields {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw wrong(`${what} must be an object`)
  return value as Fields
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(`${what} must be a list`)
  return value
}

function wrong(what: string): SluiceError {
  return new SluiceError('SLUICE_CONFIG', `runtimes manifest: ${what}`)
}
