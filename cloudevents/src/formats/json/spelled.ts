/** The `data` of a JSON document, whose spelling is looked for when somebody wants it: whoever only reads the value (a
 *  filter) does not pay for it. */
import { memberSpan } from './spans.ts'

export class SpelledData {
  readonly kind = 'json'
  readonly value: unknown
  #text: string | undefined
  #document: string
  readonly #start: number

  /** `document` is JSON that has been parsed; the event's object starts at `start`, and `value` is its member `data`. */
  constructor(value: unknown, document: string, start: number) {
    this.value = value
    this.#document = document
    this.#start = start
  }

  /** The value as it is spelled in the document. */
  get text(): string {
    if (this.#text === undefined) {
      const [from, to] = memberSpan(this.#document, 'data', this.#start) as readonly [number, number]
      this.#text = this.#document.slice(from, to)
      this.#document = ''
    }
    return this.#text
  }
}
