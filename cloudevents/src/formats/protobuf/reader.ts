/** Fields of nested messages with one reader of the wire format, since a reader for each would cost more than its fields. */
import type { Buffer } from 'node:buffer'
import { BinaryReader, type WireType } from '@bufbuild/protobuf/wire'
import { CloudEventError } from '../../error.ts'
import { bufferOf, nameSlice, utf8Slice } from '../../utf8.ts'

/** Takes the value of a field if it is one of its own, or says that it is none. */
export type TakeField<Target> = (message: MessageReader, field: number, wireType: WireType, target: Target) => boolean

export class MessageReader {
  readonly #bytes: Buffer
  readonly #wire: BinaryReader
  /** Where the message that is being read ends. */
  #end: number

  constructor(body: Uint8Array) {
    this.#bytes = bufferOf(body)
    this.#wire = new BinaryReader(this.#bytes)
    this.#end = body.length
  }

  /** Hands all fields of the message to `take`. Unknown ones are skipped, as Protobuf wants, groups to a depth of 100.
   *  Whatever the wire's reader throws becomes a CloudEventError. */
  read<Target>(take: TakeField<Target>, target: Target): Target {
    try {
      this.#fields(take, target)
      return target
    } catch (error) {
      if (error instanceof CloudEventError) throw error
      throw this.#broken()
    }
  }

  /** The same for a message in a field, whose length comes first. */
  nested<Target>(take: TakeField<Target>, target: Target): Target {
    const outer = this.#end
    this.#end = this.#length() + this.#wire.pos
    this.#fields(take, target)
    this.#end = outer
    return target
  }

  /** On the memory of the body. */
  bytes(): Uint8Array {
    const length = this.#length()
    const start = this.#wire.pos
    this.#wire.pos = start + length
    return this.#bytes.subarray(start, start + length)
  }

  string(): string {
    const length = this.#length()
    const start = this.#wire.pos
    this.#wire.pos = start + length
    const text = utf8Slice(this.#bytes, start, start + length)
    if (text === undefined) throw new CloudEventError('body', 'utf8')
    return text
  }

  /** A string of which the same few come again and again. */
  name(): string {
    const length = this.#length()
    const start = this.#wire.pos
    this.#wire.pos = start + length
    const text = nameSlice(this.#bytes, start, start + length)
    if (text === undefined) throw new CloudEventError('body', 'utf8')
    return text
  }

  boolean(): boolean {
    return this.#wire.bool()
  }

  int32(): number {
    return this.#wire.int32()
  }

  int64(): number {
    return Number(this.#wire.int64())
  }

  #fields<Target>(take: TakeField<Target>, target: Target): void {
    const wire = this.#wire
    while (wire.pos < this.#end) {
      const byte = this.#bytes[wire.pos] as number
      let field = byte >>> 3
      let wireType: WireType = byte & 7
      // Fields up to 15 have one byte for number and type; the wire's own method takes the others, and refuses the field 0.
      if (field > 0 && byte < 0x80) wire.pos++
      else [field, wireType] = wire.tag()
      if (!take(this, field, wireType, target)) wire.skip(wireType, field)
    }
    if (wire.pos !== this.#end) throw this.#broken()
  }

  #length(): number {
    const byte = this.#bytes[this.#wire.pos] as number
    let length = byte
    if (byte < 0x80) this.#wire.pos++
    else length = this.#wire.uint32()
    if (length > this.#end - this.#wire.pos) throw this.#broken()
    return length
  }

  #broken(): CloudEventError {
    const at = Math.min(this.#wire.pos, this.#bytes.length)
    return new CloudEventError('body', 'protobuf', { detail: `it is broken at byte ${at}` })
  }
}
