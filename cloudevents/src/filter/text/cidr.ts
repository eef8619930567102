/** Ranges of IP addresses, written as in EventBridge: `10.0.0.0/24`, `2001:db8::/64`. */

/** An address as a number of 32 or 128 bits. */
export type Address = { readonly version: 4; readonly bits: number } | { readonly version: 6; readonly bits: bigint }

export type Cidr =
  | { readonly version: 4; readonly low: number; readonly high: number }
  | { readonly version: 6; readonly low: bigint; readonly high: bigint }

/**
 * The range from the address to the end of its network: host bits that are set move its beginning, as in event-ruler.
 * Returns a text that says what is wrong. Masks of the full length are refused, as there: that is an exact value.
 */
export function parseCidr(text: string): Cidr | string {
  const [addressText, maskText, ...more] = text.split('/')
  if (addressText === undefined || maskText === undefined || more.length > 0)
    return 'must be an address and a mask, such as "10.0.0.0/24"'
  if (!/^\d{1,3}$/.test(maskText)) return 'must have a mask that is a number'
  const mask = Number(maskText)
  const address = parseAddress(addressText)
  if (address === undefined) return 'must begin with an IPv4 or IPv6 address'
  if (address.version === 4) {
    if (mask > 31) return 'must have a mask below 32'
    return { version: 4, low: address.bits, high: (address.bits | (0xffffffff >>> mask)) >>> 0 }
  }
  if (mask > 127) return 'must have a mask below 128'
  return { version: 6, low: address.bits, high: address.bits | ((1n << BigInt(128 - mask)) - 1n) }
}

/** Whether a text is an address in the range. */
export function cidrContains(cidr: Cidr, text: string): boolean {
  const address = parseAddress(text)
  return (
    address !== undefined && address.version === cidr.version && cidr.low <= address.bits && address.bits <= cidr.high
  )
}

const addressLengthMax = 45

/** Undefined for everything that is no address literal, zones (`%eth0`) included. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > addressLengthMax) return undefined
  if (!text.includes(':')) {
    const bits = parseV4(text)
    return bits === undefined ? undefined : { version: 4, bits }
  }
  const bits = parseV6(text)
  return bits === undefined ? undefined : { version: 6, bits }
}

function parseV4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return undefined
  let bits = 0
  for (const part of match.slice(1)) {
    const byte = Number(part)
    if (byte > 255) return undefined
    bits = bits * 256 + byte
  }
  return bits
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const groups = halves.map(half => (half === '' ? [] : half.split(':')))
  const last = groups.at(-1) as string[]
  const v4 = last.at(-1)
  if (v4?.includes('.')) {
    const bits = parseV4(v4)
    if (bits === undefined) return undefined
    last.splice(-1, 1, Math.floor(bits / 65536).toString(16), (bits % 65536).toString(16))
  }
  const [head = [], tail = []] = groups
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const all = [...head, ...Array.from({ length: halves.length === 2 ? missing : 0 }, () => '0'), ...tail]
  if (!all.every(group => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return BigInt(`0x${all.map(group => group.padStart(4, '0')).join('')}`)
}
