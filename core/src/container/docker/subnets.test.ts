import { expect, it } from 'vitest'
import { createSubnets, subnetPlaces } from './subnets.ts'

it('cuts a range into /28 subnets, the first address of each being the host\u2019s', () => {
  const subnets = createSubnets('10.213.7.9/16')
  expect(subnets.count).toBe(4096)
  expect(subnets.at(0)).toEqual({ cidr: '10.213.0.0/28', gateway: '10.213.0.1' })
  expect(subnets.at(17)).toEqual({ cidr: '10.213.1.16/28', gateway: '10.213.1.17' })
  expect(subnets.at(4095)).toEqual({ cidr: '10.213.255.240/28', gateway: '10.213.255.241' })
  expect(createSubnets('203.0.113.16/28').count).toBe(1)
  expect(subnetPlaces).toBe(13)
})

it('refuses what is no range that holds one', () => {
  for (const range of ['', '10.0.0.0', '10.0.0.0/29', '10.0.0.0/7', '10.0.0.256/16', 'fe80::/64', '10.0.0.0/16 ']) {
    expect(() => createSubnets(range)).toThrow('containers.docker.networkRange')
  }
})
