import { describe, expect, it } from 'vitest'
import type { AttachmentStore } from '../src/spi/index.ts'
import { opened, openedTwice, unique, type Opener } from './support.ts'

/** Every AttachmentStore passes this suite. Read the test names: they are the specification. */
export function attachmentStoreContract(
  name: string,
  open: Opener<AttachmentStore>,
  { lasting }: { lasting: boolean },
): void {
  describe(`AttachmentStore: ${name}`, () => {
    it('gives back the bytes it was given, of none and of many megabytes', async () => {
      const store = await opened(open)
      const id = unique('guest/action')
      for (const length of [0, 1, 20_000, 5_000_001]) {
        const body = Uint8Array.from({ length }, (_, at) => (at * 31) % 251)
        await store.put(id, `code-${length}`, body)
        const found = await store.get(id, `code-${length}`)
        expect(Buffer.compare(Buffer.from(found ?? []), body)).toBe(0)
        expect(found?.byteLength).toBe(length)
      }
    })

    it('has nothing under a name or an id that was not put', async () => {
      const store = await opened(open)
      const id = unique('guest/action')
      await store.put(id, 'code', Buffer.from('x'))
      expect(await store.get(id, 'other')).toBeUndefined()
      expect(await store.get(`${id}-other`, 'code')).toBeUndefined()
    })

    it('takes the same attachment again', async () => {
      const store = await opened(open)
      const id = unique('guest/action')
      await store.put(id, 'code', Buffer.from('same'))
      await store.put(id, 'code', Buffer.from('same'))
      expect(Buffer.from((await store.get(id, 'code')) ?? []).toString()).toBe('same')
    })

    it('deletes all attachments of an entity, except the one to keep, and none of another', async () => {
      const store = await opened(open)
      const id = unique('guest/action')
      for (const each of ['a', 'b', 'c']) await store.put(id, each, Buffer.from(each))
      await store.put(`${id}2`, 'a', Buffer.from('other'))
      await store.delete(id, 'b')
      expect(await store.get(id, 'a')).toBeUndefined()
      expect(await store.get(id, 'b')).toBeDefined()
      await store.delete(id)
      expect(await store.get(id, 'b')).toBeUndefined()
      expect(await store.get(`${id}2`, 'a')).toBeDefined()
    })

    it('deletes of an entity that has none without complaint', async () => {
      const store = await opened(open)
      await expect(store.delete(unique('guest/none'))).resolves.toBeUndefined()
    })

    if (lasting) {
      it('has what was put before a crash, whole [rel:R3]', async () => {
        const { subject: store, reopen } = await openedTwice(open)
        const id = unique('guest/action')
        const body = Uint8Array.from({ length: 2_500_000 }, (_, at) => (at * 17) % 253)
        await store.put(id, 'code', body)
        const again = await reopen('crash')
        expect(Buffer.compare(Buffer.from((await again.get(id, 'code')) ?? []), body)).toBe(0)
      })
    }
  })
}
