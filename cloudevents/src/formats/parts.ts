/** Attributes by name, as formats and bindings without order have them, as the parts of an event. */
import { emptyRecord } from '../create-event.ts'
import { CloudEventError } from '../error.ts'
import type { EventData, ExtensionValue } from '../event.ts'

/** Parts as they came: `createEvent` checks them. */
export type LooseParts = {
  specversion: unknown
  id: unknown
  source: unknown
  type: unknown
  subject: unknown
  time: unknown
  datacontenttype: unknown
  dataschema: unknown
  extensions: Record<string, ExtensionValue> | undefined
  data: EventData | undefined
}

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
  switch (name) {
    case 'specversion':
    case 'id':
    case 'source':
    case 'type':
    case 'subject':
    case 'time':
    case 'datacontenttype':
    case 'dataschema':
      if (parts[name] !== undefined) throw new CloudEventError(name, 'doubled')
      parts[name] = value
      return
    default: {
      const extensions = (parts.extensions ??= emptyRecord())
      if (extensions[name] !== undefined) throw new CloudEventError(name, 'doubled')
      extensions[name] = value
    }
  }
}

/** Throws CloudEventError `required` unless the message says of which version it is. */
export function requireVersion(parts: LooseParts): void {
  if (parts.specversion === undefined) throw new CloudEventError('specversion', 'required')
}
