import {
  ApiError,
  bounds,
  messages,
  parametersBytesMax,
  parseVersion,
  stringifyJson,
  type Annotations,
  type Exec,
  type Identity,
  type Parameter,
  type Parameters,
  type RuntimesManifest,
} from '../model/index.ts'
import { lockScheme } from './arguments.ts'
import { execBytes, parseExec } from './exec-body.ts'
import { isObject, malformed, parseBody, type JsonObject } from './json-body.ts'

/** What every PUT may carry (rest-api.md §3.2, §3.3). Fields that are null count as absent. */
export type EntityBody = {
  readonly exec?: Exec
  readonly parameters?: Parameters
  readonly annotations?: Annotations
  /** The body itself, for the fields of one kind of entity. */
  readonly fields: JsonObject
}

/** Step 9 of §1.10: parses the fields that have a size and compares their sizes, whatever the entity's kind. */
export function parseSizedFields(bytes: Buffer, identity: Identity, manifest: RuntimesManifest): EntityBody {
  const fields = parseBody(bytes)
  if (!isObject(fields)) throw malformed("Object expected in field 'exec'")
  const exec = absent(fields['exec']) ? undefined : parseExec(fields['exec'], manifest, identity.namespace.name)
  const parameters = absent(fields['parameters']) ? undefined : parseParameters(fields['parameters'])
  const annotations = absent(fields['annotations']) ? undefined : parseAnnotations(fields['annotations'])
  const max = parametersBytesMax(identity.limits)
  if (exec !== undefined) checkSize('exec', execBytes(exec), bounds.api.codeBytesMax)
  if (parameters !== undefined) checkSize('parameters', listBytes(parameters), max)
  if (annotations !== undefined) checkSize('annotations', listBytes(annotations), max)
  return {
    ...(exec === undefined ? {} : { exec }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(annotations === undefined ? {} : { annotations }),
    fields,
  }
}

export type CommonFields = { readonly version?: string; readonly publish?: boolean }

/** Step 11: `version` and `publish`. */
export function parseCommonFields({ version, publish }: JsonObject): CommonFields {
  if (!absent(publish) && typeof publish !== 'boolean') {
    throw malformed(`Expected JsBoolean, but got ${stringifyJson(publish)}`)
  }
  return {
    ...(absent(version) ? {} : { version: detailed(() => parseVersion(version)) }),
    ...(typeof publish === 'boolean' ? { publish } : {}),
  }
}

export function absent(value: unknown): value is undefined | null {
  return value === undefined || value === null
}

/** Runs a parser of the model and puts its message behind the malformed prefix. */
export function detailed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : '')
  }
}

function parseParameters(value: unknown): Parameters {
  return lastOfEachKey(entriesOf(value).map(parameterOf))
}

function parseAnnotations(value: unknown): Annotations {
  return lastOfEachKey(entriesOf(value).map(({ key, value }) => ({ key, value })))
}

type Entry = { key: string; value: unknown; init?: unknown; encryption?: unknown }

function entriesOf(value: unknown): Entry[] {
  if (!Array.isArray(value)) throw malformed('parameters malformed!')
  return value.map((entry: unknown) => {
    const { key, init } = isObject(entry) ? entry : {}
    const whole = isObject(entry) && typeof key === 'string' && Object.hasOwn(entry, 'value')
    if (!whole || (init !== undefined && typeof init !== 'boolean')) throw malformed('parameters malformed!')
    return entry as Entry
  })
}

/**
 * `init: false` is not kept. Nor is the hub's own encryption: only the hub locks, or whoever reads a public package could
 * have the text that is locked there opened by an action of his own.
 */
function parameterOf({ key, value, init, encryption }: Entry): Parameter {
  return {
    key,
    value,
    ...(init === true ? { init } : {}),
    ...(typeof encryption === 'string' && !encryption.startsWith(lockScheme) ? { encryption } : {}),
  }
}

function lastOfEachKey<T extends { key: string }>(entries: readonly T[]): T[] {
  return [...new Map(entries.map(entry => [entry.key, entry])).values()]
}

function listBytes(entries: readonly { key: string; value: unknown }[]): number {
  return entries.reduce(
    (sum, { key, value }) => sum + Buffer.byteLength(key) + Buffer.byteLength(stringifyJson(value)),
    0,
  )
}

function checkSize(field: string, bytes: number, max: number): void {
  if (bytes > max) throw new ApiError(413, messages.fieldTooLarge(field, bytes, max))
}
