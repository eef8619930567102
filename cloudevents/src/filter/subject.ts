/** What a filter looks at: the attributes of an event and, when a clause asks for it, its payload. */
import { dataValue } from '../data.ts'
import { attributesOf, type CloudEvent } from '../event.ts'

/** An event as filters see it. Neither method may change anything; what they return is not kept. */
export type FilterSubject = {
  /** The value of a context attribute: string, integer or boolean; `undefined` when the event has none. */
  attribute(name: string): unknown
  /** The payload as a JSON value, `undefined` if there is none. May throw when it is not what its type says. */
  data(): unknown
  /** `{...attributes, data}`, for languages that want an object. */
  toObject(): Record<string, unknown>
}

/** The subject of a CloudEvent. `data` is parsed at the first use, once. Bytes that are no JSON and no text are not seen. */
export function subjectOf(event: CloudEvent): FilterSubject {
  return new EventSubject(event)
}

/** The subject of attributes and a payload that need not be a CloudEvent. Numbers in `data` must be plain ones. */
export function subjectOfParts(attributes: Readonly<Record<string, unknown>>, data: unknown): FilterSubject {
  return new PartsSubject(attributes, { value: data })
}

/** As `subjectOfParts`, for a payload as JSON text, such as a plain fire's; parsed at the first use. */
export function subjectOfJson(attributes: Readonly<Record<string, unknown>>, json: string): FilterSubject {
  return new PartsSubject(attributes, { json })
}

class EventSubject implements FilterSubject {
  readonly #event: CloudEvent
  #data: { readonly value: unknown } | undefined

  constructor(event: CloudEvent) {
    this.#event = event
  }

  attribute(name: string): unknown {
    switch (name) {
      case 'type':
        return this.#event.type
      case 'source':
        return this.#event.source
      case 'subject':
        return this.#event.subject
      case 'id':
        return this.#event.id
      case 'time':
        return this.#event.time
      case 'specversion':
        return this.#event.specversion
      case 'datacontenttype':
        return this.#event.datacontenttype
      case 'dataschema':
        return this.#event.dataschema
      default:
        return this.#event.extensions[name]
    }
  }

  data(): unknown {
    if (this.#data === undefined) {
      const value = dataValue(this.#event)
      this.#data = { value: value instanceof Uint8Array ? undefined : value }
    }
    return this.#data.value
  }

  toObject(): Record<string, unknown> {
    return { ...attributesOf(this.#event), data: this.data() }
  }
}

class PartsSubject implements FilterSubject {
  readonly #attributes: Readonly<Record<string, unknown>>
  #data: { readonly value: unknown } | { readonly json: string }

  constructor(attributes: Readonly<Record<string, unknown>>, data: { value: unknown } | { json: string }) {
    this.#attributes = attributes
    this.#data = data
  }

  attribute(name: string): unknown {
    return Object.hasOwn(this.#attributes, name) ? this.#attributes[name] : undefined
  }

  data(): unknown {
    if ('json' in this.#data) this.#data = { value: JSON.parse(this.#data.json) as unknown }
    return this.#data.value
  }

  toObject(): Record<string, unknown> {
    const data = this.data()
    return data === undefined ? { ...this.#attributes } : { ...this.#attributes, data }
  }
}
