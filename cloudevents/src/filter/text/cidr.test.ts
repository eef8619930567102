import { describe, expect, it } from 'vitest'
import { cidrContains, parseAddress, parseCidr, type Cidr } from './cidr.ts'

describe('an address', () => {
  it.each([
    ['10.0.0.1', 4, 0x0a000001],
    ['255.255.255.255', 4, 0xffffffff],
    ['::', 6, 0n],
    ['::1', 6, 1n],
    ['2001:DB8::1', 6, 0x20010db8000000000000000000000001n],
    ['1:2:3:4:5:6:7:8', 6, 0x00010002000300040005000600070008n],
    ['1::', 6, 1n << 112n],
    ['::ffff:10.0.0.1', 6, 0xffff0a000001n],
  ])('%s is read', (text, version, bits) => {
    expect(parseAddress(text)).toEqual({ version, bits })
  })

  it.each([
    ...['', '10', '10.0.0', '10.0.0.256', '10.0.0.0.1', ' 10.0.0.1', '1.2.3.4a', '0x1.2.3.4', ':', ':::', '1::2::3'],
    ...['1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '12345::', 'g::', 'fe80::1%eth0', '::10.0.0.300', '1:2:3:4:5:6:7::8'],
    '1'.repeat(1000),
  ])('%j is none', text => {
    expect(parseAddress(text)).toBeUndefined()
  })
})

describe('a range', () => {
  it.each([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.0/31', '10.0.0.1', true],
    ['0.0.0.0/0', '255.1.2.3', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', 'ffff::', true],
    ['2001:db8::/127', '2001:db8::2', false],
    ['10.0.0.0/8', 'x', false],
  ])('%s contains %s: %s', (range, address, expected) => {
    expect(cidrContains(parseCidr(range) as Cidr, address)).toBe(expected)
  })

  it.each(['10.0.0.0', '10.0.0.0/', '10.0.0.0/32', '10.0.0.0/-1', '10.0.0.0/8/8', '::/128', 'x/8', '10.0.0.0/1e1'])(
    '%s is none',
    range => {
      expect(parseCidr(range)).toEqual(expect.any(String))
    },
  )
})
