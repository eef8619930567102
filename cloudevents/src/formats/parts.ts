/** Attributes by name, as formats and bindings without order have them, as the parts of an event. */
import { emptyRecord, type LooseParts } from '../create-event.ts'
import { CloudEventError } from '../error.ts'
import type { ExtensionValue } from '../event.ts'

export function emptyParts(): LooseParts {
  return {
    specversion: undefined,
    id: undefined,
    source: undefined,
    type: undefined,
    subject: undefined,
    time: undefined,
    datacontenttype: undefined,
    dataschema: undefined,
    extensions: undefined,
    data: undefined,
  }
}

/** Puts one attribute where it belongs. Throws CloudEventError `doubled` for one that is there already. */
export function takeAttribute(parts: LooseParts, name: string, value: ExtensionValue): void {
  put(parts, name, value, false)
}

/** The same, but the last of several holds. */
export function putAttribute(parts: LooseParts, name: string, value: ExtensionValue | undefined): void {
  put(parts, name, value, true)
}

/** By a switch: to set a member by a name that was cut out of a message would look that name up in a table first. */
function put(parts: LooseParts, name: string, value: ExtensionValue | undefined, again: boolean): void {
  switch (name) {
    case 'specversion':
      parts.specversion = again ? value : once(parts.specversion, name, value)
      return
    case 'id':
      parts.id = again ? value : once(parts.id, name, value)
      return
    case 'source':
      parts.source = again ? value : once(parts.source, name, value)
      return
    case 'type':
      parts.type = again ? value : once(parts.type, name, value)
      return
    case 'subject':
      parts.subject = again ? value : once(parts.subject, name, value)
      return
    case 'time':
      parts.time = again ? value : once(parts.time, name, value)
      return
    case 'datacontenttype':
      parts.datacontenttype = again ? value : once(parts.datacontenttype, name, value)
      return
    case 'dataschema':
      parts.dataschema = again ? value : once(parts.dataschema, name, value)
      return
    default: {
      const extensions = (parts.extensions ??= emptyRecord())
      extensions[name] = again ? value : once(extensions[name], name, value)
    }
  }
}

function once<Value>(there: unknown, name: string, value: Value): Value {
  if (there !== undefined) throw new CloudEventError(name, 'doubled')
  return value
}

/** Throws CloudEventError `required` unless the message says of which version it is. */
export function requireVersion(parts: LooseParts): void {
  if (parts.specversion === undefined) throw new CloudEventError('specversion', 'required')
}
