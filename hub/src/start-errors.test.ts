import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { SluiceError } from '@sluice/core/model'
import { listenError, storeError } from './start-errors.ts'

it('tells a taken port in one line', async () => {
  const first = createServer()
  await new Promise<void>(resolve => first.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void first.close())
  const { port } = first.address() as AddressInfo
  const second = createServer()
  const error = await new Promise(resolve => second.once('error', resolve).listen(port, '127.0.0.1'))
  expect(listenError(error, '127.0.0.1', port)).toMatchObject({
    code: 'SLUICE_ADDRESS_IN_USE',
    message: `127.0.0.1:${port} is taken by another process. Stop it, or choose another port with --port.`,
  })
})

it('tells it also when a part has wrapped the error of the system', () => {
  const wrapped = new SluiceError('SLUICE_ADDRESS_IN_USE', 'x', {
    cause: Object.assign(new Error(), { code: 'EADDRINUSE' }),
  })
  expect(listenError(wrapped, '::1', 80)).toMatchObject({ message: expect.stringContaining('[::1]:80 is taken') })
})

it('tells an address that is not of this machine', () => {
  const error = Object.assign(new Error('x'), { code: 'EADDRNOTAVAIL' })
  expect(listenError(error, '192.0.2.1', 80)).toMatchObject({ code: 'SLUICE_ADDRESS_IN_USE' })
})

it('tells a data directory that another hub has open, also from below a wrapper', () => {
  const locked = Object.assign(new Error('x'), { code: 'LEVEL_LOCKED' })
  const wrapped = Object.assign(new Error('y', { cause: locked }), { code: 'LEVEL_DATABASE_NOT_OPEN' })
  for (const error of [locked, wrapped]) {
    expect(storeError(error, './.sluice')).toMatchObject({
      code: 'SLUICE_DATA_DIR',
      message: expect.stringContaining('in use by another process'),
    })
  }
})

it('leaves other errors as they are', () => {
  const bug = new Error('a bug')
  expect(listenError(bug, 'localhost', 1)).toBe(bug)
  expect(storeError(bug, 'x')).toBe(bug)
})
