import { expect, it } from 'vitest'
import { containerSettings, type ContainerDefaults, type ContainerParameters } from './container-settings.ts'
import { knownFaults } from './known-faults.ts'
import { printArguments } from './print-arguments.ts'

const parameters: ContainerParameters = {
  name: 'testContainer',
  image: 'sluice/action-nodejs-v20:latest',
  labels: {},
  env: { __OW_API_HOST: '', k1: 'v1', k3: '' },
  memoryMb: 10,
  cpuShares: 32,
  network: 'net1',
  volumes: [],
  action: true,
  publish: false,
}
const defaults: ContainerDefaults = {
  user: '65532:65532',
  dns: ['dns1', 'dns2'],
  dnsSearch: [],
  dnsOptions: [],
  tmpMb: 64,
  actionMb: 64,
}
const printed = (given: Partial<ContainerParameters> = {}, operator: Partial<ContainerDefaults> = {}): string =>
  printArguments(containerSettings({ ...parameters, ...given }, { ...defaults, ...operator })).join(' ')

it('[platform:DRV-01] prints shares, memory without swap, network, variables, DNS and name in this order', () => {
  expect(printed()).toMatch(
    /^--cpu-shares 32 --memory 10m --memory-swap 10m --network net1 -e __OW_API_HOST= -e k1=\*\*\* -e k3=\*\*\* --dns dns1 --dns dns2 --name testContainer /,
  )
})

it('[platform:DRV-03] drops every capability, bounds descriptors and processes, and keeps no log on the engine', () => {
  const text = printed()
  for (const part of ['--cap-drop ALL', '--ulimit nofile=1024:1024', '--pids-limit 256', '--log-driver none']) {
    expect(text).toContain(part)
  }
  expect(text).toContain('--security-opt no-new-privileges:true')
  expect(text).toContain('--read-only')
})

it('mounts nothing but the directory of sockets, and publishes a port on loopback only', () => {
  expect(printed()).not.toContain('--mount')
  expect(printed({ socketDirectory: '/tmp/x/1' })).toContain('--mount type=bind,source=/tmp/x/1,target=/run/sluice')
  const { HostConfig } = containerSettings({ ...parameters, publish: true }, defaults)
  expect(HostConfig?.PortBindings).toEqual({ '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] })
})

it('makes memory of what an image declares as volumes', () => {
  expect(printed({ volumes: ['/data'] })).toContain('--tmpfs /data:rw,noexec,nosuid,nodev,mode=1777,size=16m')
})

it('takes another runtime when the operator names one', () => {
  expect(containerSettings(parameters, { ...defaults, runtime: 'runsc' }).HostConfig).toMatchObject({
    Runtime: 'runsc',
  })
})

it('warns of a runc with known ways out, and of an engine without a system-call filter', () => {
  const info = {
    version: '20.10',
    pause: true,
    cgroups: 1,
    runtimes: [],
    securityOptions: ['name=seccomp,profile=default'],
  }
  const faults = (runc: string, more: object = {}): number => knownFaults({ ...info, runc, ...more }).length
  expect(faults('1.1.5+ds1')).toBe(1)
  expect(faults('1.1.12')).toBe(0)
  expect(faults('v1.2.7')).toBe(1)
  expect(faults('1.3.3')).toBe(0)
  expect(faults('1.4.0')).toBe(0)
  expect(faults('1.0.3')).toBe(1)
  expect(faults('')).toBe(0)
  expect(faults('1.3.3', { securityOptions: [] })).toBe(1)
})
