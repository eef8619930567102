import { SluiceError } from '../../model/index.ts'

const subnetBits = 28

/** A network's address range with the address that the host has in it. */
export type Subnet = { readonly cidr: string; readonly gateway: string }

/** Containers that fit: a /28 without its own address, the broadcast address and the host's. */
export const subnetPlaces = 2 ** (32 - subnetBits) - 3

/** The /28 subnets of a configured range. Throws SLUICE_CONFIG when the range is none, or smaller than one of them. */
export function createSubnets(range: string): { readonly count: number; at(index: number): Subnet } {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(range)
  const [a, b, c, d, bits = 99] = (match ?? []).slice(1).map(Number)
  const octets = [a, b, c, d].map(octet => octet ?? 999)
  if (octets.some(octet => octet > 255) || bits > subnetBits || bits < 8) {
    const text = `containers.docker.networkRange must be an IPv4 range of /8 to /${subnetBits}, not ${range}.`
    throw new SluiceError('SLUICE_CONFIG', text)
  }
  const size = 2 ** (32 - bits)
  const first = Math.floor(octets.reduce((sum, octet) => sum * 256 + octet, 0) / size) * size
  return {
    count: 2 ** (subnetBits - bits),
    at(index) {
      const start = first + index * 2 ** (32 - subnetBits)
      return { cidr: `${printAddress(start)}/${subnetBits}`, gateway: printAddress(start + 1) }
    },
  }
}

function printAddress(value: number): string {
  return [24, 16, 8, 0].map(shift => Math.floor(value / 2 ** shift) % 256).join('.')
}
