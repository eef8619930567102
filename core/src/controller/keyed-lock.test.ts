import { expect, it } from 'vitest'
import { createKeyedLock } from './keyed-lock.ts'

it('runs work on one key one after the other, also after a failure, and other keys beside it', async () => {
  const locked = createKeyedLock()
  const seen: string[] = []
  let release: () => void = () => {}
  const gate = new Promise<void>(resolve => (release = resolve))
  const first = locked('a', async () => {
    await gate
    seen.push('first')
    throw new Error('failed')
  })
  const second = locked('a', async () => seen.push('second'))
  await locked('b', async () => seen.push('beside'))
  release()
  await expect(first).rejects.toThrow('failed')
  await second
  expect(seen).toEqual(['beside', 'first', 'second'])
})
