import { expect, it } from 'vitest'
import { suggest } from './suggest.ts'

it('finds the word that was meant', () => {
  const words = ['host', 'port', 'publicUrl', 'userMemoryMb']
  expect(suggest('prot', words)).toBe('port')
  expect(suggest('hots', words)).toBe('host')
  expect(suggest('publicURI', words)).toBe('publicUrl')
  expect(suggest('user_memory_mb', words)).toBe('userMemoryMb')
})

it('stays silent when nothing is near', () => {
  expect(suggest('colour', ['host', 'port'])).toBeUndefined()
  expect(suggest('x', [])).toBeUndefined()
})
