import { expect, it } from 'vitest'
import { seeded } from '../../testing/mutate.ts'
import { TextTrie } from './text-trie.ts'

it.each(['front', 'back'] as const)('finds each text that a value has at its %s, of few lengths and of many', from => {
  for (let seed = 0; seed < 300; seed++) {
    const next = seeded(seed)
    const word = (length: number) => Array.from({ length }, () => 'ab'[next(2)]).join('')
    const lengthMax = 2 + next(14)
    const texts = Array.from({ length: 1 + next(40) }, () => word(next(lengthMax)))
    const trie = new TextTrie(from)
    texts.forEach((text, entry) => trie.add(text, entry))
    for (let round = 0; round < 20; round++) {
      const value = word(next(16))
      const found: number[] = []
      trie.find(value, entries => found.push(...entries))
      const has = (text: string) => (from === 'front' ? value.startsWith(text) : value.endsWith(text))
      expect(found.sort((a, b) => a - b)).toEqual(texts.flatMap((text, entry) => (has(text) ? [entry] : [])))
    }
  }
})
