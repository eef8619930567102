import { expect, it } from 'vitest'
import { StartSlots } from './start-slots.ts'

it('[platform:DRV-14] lets ten in, the eleventh when one is done or has failed', async () => {
  const slots = new StartSlots(10)
  const never = new AbortController().signal
  const releases = await Promise.all(Array.from({ length: 10 }, () => slots.take(never)))
  let entered = false
  const eleventh = slots.take(never).then(release => {
    entered = true
    return release
  })
  await Promise.resolve()
  expect(entered).toBe(false)
  releases[0]?.()
  const release = await eleventh
  expect(entered).toBe(true)
  release()
})

it('forgets who gave up waiting, and loses no slot by it', async () => {
  const slots = new StartSlots(1)
  const never = new AbortController().signal
  const first = await slots.take(never)
  const impatient = new AbortController()
  const refused = slots.take(impatient.signal)
  const patient = slots.take(never)
  impatient.abort(new Error('enough'))
  await expect(refused).rejects.toThrow('enough')
  first()
  const second = await patient
  second()
  ;(await slots.take(never))()
})
