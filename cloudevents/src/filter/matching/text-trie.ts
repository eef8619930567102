/** Texts by their characters from the front, or from the back: finds all that a value begins, or ends, with. */

type TrieNode = { readonly next: Map<number, TrieNode>; entries: number[] | undefined }

export class TextTrie {
  readonly #root: TrieNode = { next: new Map(), entries: undefined }
  readonly #fromBack: boolean

  /** `back`: for suffixes. */
  constructor(from: 'front' | 'back') {
    this.#fromBack = from === 'back'
  }

  add(text: string, entry: number): void {
    let node = this.#root
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(this.#fromBack ? text.length - 1 - index : index)
      let next = node.next.get(unit)
      if (next === undefined) node.next.set(unit, (next = { next: new Map(), entries: undefined }))
      node = next
    }
    ;(node.entries ??= []).push(entry)
  }

  /** Calls back with the lists of entries whose text the value begins (ends) with. */
  find(value: string, found: (entries: readonly number[]) => void): void {
    let node: TrieNode | undefined = this.#root
    for (let index = 0; ; index++) {
      if (node.entries !== undefined) found(node.entries)
      if (index === value.length) return
      node = node.next.get(value.charCodeAt(this.#fromBack ? value.length - 1 - index : index))
      if (node === undefined) return
    }
  }
}
