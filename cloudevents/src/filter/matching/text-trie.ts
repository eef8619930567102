/**
 * Texts by their characters from the front, or from the back: finds all that a value begins, or ends, with. Texts of few
 * different lengths are looked up as a whole, which reads less memory; else a trie is.
 */

type TrieNode = { readonly next: Map<number, TrieNode>; entries: number[] | undefined }

export class TextTrie {
  readonly #root: TrieNode = { next: new Map(), entries: undefined }
  readonly #byText = new Map<string, number[]>()
  readonly #lengths: number[] = []
  readonly #fromBack: boolean

  /** `back`: for suffixes. */
  constructor(from: 'front' | 'back') {
    this.#fromBack = from === 'back'
  }

  add(text: string, entry: number): void {
    const entries = this.#byText.get(text)
    if (entries !== undefined) {
      entries.push(entry)
      return
    }
    if (!this.#lengths.includes(text.length) && this.#lengths.length <= lengthsMax) {
      this.#lengths.push(text.length)
      this.#lengths.sort((a, b) => a - b)
    }
    const started = [entry]
    this.#byText.set(text, started)
    let node = this.#root
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(this.#fromBack ? text.length - 1 - index : index)
      let next = node.next.get(unit)
      if (next === undefined) node.next.set(unit, (next = { next: new Map(), entries: undefined }))
      node = next
    }
    // The trie has the same lists.
    node.entries = started
  }

  /** Calls back with the lists of entries whose text the value begins (ends) with. */
  find(value: string, found: (entries: readonly number[]) => void): void {
    const lengths = this.#lengths
    if (lengths.length <= lengthsMax) {
      for (let index = 0; index < lengths.length; index++) {
        const length = lengths[index] as number
        if (length > value.length) return
        const text = this.#fromBack ? value.slice(value.length - length) : value.slice(0, length)
        const entries = this.#byText.get(text)
        if (entries !== undefined) found(entries)
      }
      return
    }
    let node: TrieNode | undefined = this.#root
    for (let index = 0; ; index++) {
      if (node.entries !== undefined) found(node.entries)
      if (index === value.length) return
      node = node.next.get(value.charCodeAt(this.#fromBack ? value.length - 1 - index : index))
      if (node === undefined) return
    }
  }
}

const lengthsMax = 6
