/** Tests of one place of events, indexed by what they ask for: finds those that a value passes. */
import type { Evaluation } from '../evaluation.ts'
import { parseAddress } from '../text/cidr.ts'
import { fold } from '../text/fold.ts'
import { compileTest, compileTests, type CheckValue, type Scalar, type ValueTest } from '../value-test.ts'
import { ExclusionIndex } from './exclusion-index.ts'
import { RangeTree, type NumberRange } from './range-tree.ts'
import { TextTrie } from './text-trie.ts'

/** Told the entries whose test a value passes; an entry may come several times. */
export type Found = (entries: readonly number[]) => void

export class ValueIndex {
  readonly #equal = new Map<Scalar, number[]>()
  #equalFolded: Map<string, number[]> | undefined
  #prefixes: TextTrie | undefined
  #suffixes: TextTrie | undefined
  #prefixesFolded: TextTrie | undefined
  #suffixesFolded: TextTrie | undefined
  #rangeList: NumberRange[] = []
  #ranges: RangeTree | undefined
  #addressList: NumberRange[] = []
  #addresses: RangeTree | undefined
  #exclusions: ExclusionIndex | undefined
  readonly #existing: number[] = []
  /** Texts that no index helps with. */
  readonly #others: { readonly check: CheckValue; readonly entries: readonly number[] }[] = []
  #folds = false

  add(test: ValueTest, entry: number): void {
    switch (test.op) {
      case 'equals':
        addTo(this.#equal, test.value, entry)
        break
      case 'equalsFolded':
        this.#folds = true
        addTo((this.#equalFolded ??= new Map<string, number[]>()), fold(test.value), entry)
        break
      case 'prefix':
        ;(this.#prefixes ??= new TextTrie('front')).add(test.value, entry)
        break
      case 'suffix':
        ;(this.#suffixes ??= new TextTrie('back')).add(test.value, entry)
        break
      case 'prefixFolded':
        this.#folds = true
        ;(this.#prefixesFolded ??= new TextTrie('front')).add(fold(test.value), entry)
        break
      case 'suffixFolded':
        this.#folds = true
        ;(this.#suffixesFolded ??= new TextTrie('back')).add(fold(test.value), entry)
        break
      case 'range':
        this.#rangeList.push({ ...test, entry })
        break
      case 'cidr':
        if (test.cidr.version === 4) this.#addressList.push({ ...test.cidr, lowOpen: false, highOpen: false, entry })
        else this.#others.push({ check: compileTest(test), entries: [entry] })
        break
      case 'glob':
        this.#others.push({ check: compileTest(test), entries: [entry] })
        break
      case 'exists':
        this.#existing.push(entry)
        break
      case 'but':
        if (test.tests.every(({ op }) => op === 'equals'))
          (this.#exclusions ??= new ExclusionIndex()).add(
            test.tests as readonly (ValueTest & { op: 'equals' })[],
            entry,
          )
        else {
          const excluded = compileTests(test.tests)
          this.#others.push({ check: (value, evaluation) => !excluded(value, evaluation), entries: [entry] })
        }
    }
  }

  /** Once, after the last `add`. */
  build(): void {
    if (this.#rangeList.length > 0) this.#ranges = new RangeTree(this.#rangeList)
    if (this.#addressList.length > 0) this.#addresses = new RangeTree(this.#addressList)
    this.#rangeList = []
    this.#addressList = []
  }

  /** `value`: no object, no array, not undefined. */
  find(value: Scalar, evaluation: Evaluation, found: Found): void {
    const equal = this.#equal.get(value)
    if (equal !== undefined) found(equal)
    if (typeof value === 'string') this.#findText(value, evaluation, found)
    else if (typeof value === 'number') this.#ranges?.find(value, found)
    this.#exclusions?.find(value, found)
    if (this.#existing.length > 0) found(this.#existing)
    for (const { check, entries } of this.#others) if (check(value, evaluation)) found(entries)
  }

  #findText(value: string, evaluation: Evaluation, found: Found): void {
    this.#prefixes?.find(value, found)
    this.#suffixes?.find(value, found)
    if (this.#folds && evaluation.charge(value.length)) {
      const folded = fold(value)
      const equal = this.#equalFolded?.get(folded)
      if (equal !== undefined) found(equal)
      this.#prefixesFolded?.find(folded, found)
      this.#suffixesFolded?.find(folded, found)
    }
    if (this.#addresses !== undefined) {
      const address = parseAddress(value)
      if (address?.version === 4) this.#addresses.find(address.bits, found)
    }
  }
}

function addTo<K>(map: Map<K, number[]>, key: K, entry: number): void {
  const entries = map.get(key)
  if (entries === undefined) map.set(key, [entry])
  else entries.push(entry)
}
