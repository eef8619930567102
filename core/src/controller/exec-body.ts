import {
  parseImageName,
  parseQualifiedName,
  printImageName,
  qualifiedId,
  stringifyJson,
  unknownKindText,
  type Exec,
  type RuntimesManifest,
} from '../model/index.ts'
import { isObject, malformed, type JsonObject } from './json-body.ts'

/** `exec` of an action (rest-api.md §4.4). All errors are 400 with the malformed prefix. */

/** `ownNamespace` is what `_` means in components. */
export function parseExec(value: unknown, manifest: RuntimesManifest, ownNamespace: string): Exec {
  if (!isObject(value)) throw malformed('JSON object expected')
  if (typeof value['kind'] !== 'string') throw malformed("'kind' must be a string defined in 'exec'")
  const kind = value['kind'].trim().toLowerCase()
  if (kind === 'sequence') return sequenceExec(value, ownNamespace)
  if (kind === 'blackbox') return blackboxExec(value)
  const runtime = manifest.resolve(kind)
  if (runtime === undefined) throw malformed(unknownKindText(kind, manifest))
  // The kind in the texts is the one sent, before `:default` is resolved.
  const code = given(value['jar']) ?? given(value['code'])
  if (code === undefined) {
    const what = runtime.attached ? 'a string or attachment object' : 'a string'
    throw malformed(`'code' must be ${what} defined in 'exec' for '${kind}' actions`)
  }
  const text = codeText(code)
  const main = mainOf(value, kind)
  if (main === undefined && runtime.requireMain) {
    throw malformed(`'main' must be a string defined in 'exec' for '${kind}' actions`)
  }
  return { kind: runtime.kind, code: text, binary: isBase64(text), ...(main === undefined ? {} : { main }) }
}

function blackboxExec(value: JsonObject): Exec {
  const image = value['image']
  if (typeof image !== 'string') throw malformed("'image' must be a string defined in 'exec' for 'blackbox' actions")
  const parsed = parseImageName(image)
  if (parsed === undefined) throw malformed('could not parse image name')
  const given = value['code'] === undefined || value['code'] === null ? '' : codeText(value['code'])
  const main = mainOf(value, 'blackbox')
  const code = given.trim() === '' ? {} : { code: given }
  return {
    kind: 'blackbox',
    image: printImageName(parsed),
    binary: isBase64(given),
    ...code,
    ...(main === undefined ? {} : { main }),
  }
}

function sequenceExec(value: JsonObject, ownNamespace: string): Exec {
  const components = given(value['components'])
  if (components === undefined) throw malformed("'components' must be defined for sequence kind")
  if (!Array.isArray(components)) throw malformed("'components' must be an array")
  return { kind: 'sequence', components: components.map(name => `/${qualifiedName(name, ownNamespace)}`) }
}

/** `ns[/pkg]/name` of a name in a body. */
function qualifiedName(value: unknown, ownNamespace: string): string {
  try {
    return qualifiedId(parseQualifiedName(value, ownNamespace))
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : '')
  }
}

function mainOf(value: JsonObject, kind: string): string | undefined {
  const main = given(value['main'])
  if (main === undefined) return undefined
  if (typeof main === 'string' && main.trim() !== '') return main
  throw malformed(`if defined, 'main' be a string in 'exec' for '${kind}' actions`)
}

function codeText(code: unknown): string {
  if (typeof code === 'string') return code
  throw malformed(`Could not deserialize as attachment record: ${stringifyJson(code)}`)
}

/** Null counts as absent: the Go client sends many. */
function given(value: unknown): unknown {
  return value === null ? undefined : value
}

/** Whether the trimmed text is strict base64: then the code is binary, whatever the client says (runtimes.md §4.2).
 *  By hand, because code may have 48 MiB and a regular expression would take a stack frame for each group. */
export function isBase64(code: string): boolean {
  const text = code.trim()
  if (text.length === 0 || text.length % 4 !== 0) return false
  let end = text.length
  while (end > text.length - 2 && text.charCodeAt(end - 1) === 0x3d) end--
  for (let at = 0; at < end; at++) if (!isBase64Digit(text.charCodeAt(at))) return false
  return true
}

function isBase64Digit(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2b ||
    code === 0x2f
  )
}

/** Bytes that the limit counts: the code as sent, `main`, the image's name; of a sequence its components' names. */
export function execBytes(exec: Exec): number {
  if ('components' in exec) return exec.components.reduce((sum, name) => sum + Buffer.byteLength(name) - 1, 0)
  return [exec.code, exec.main, exec.image].reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0)
}
