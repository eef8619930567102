import { describe, expect, it } from 'vitest'
import { bounds } from './bounds.ts'
import { actionRanges, limitsView, parseNamespaceLimits, payloadBytesMax } from './effective-limits.ts'
import { nextVersion, parseVersion } from './semver.ts'
import { parseSize } from './size.ts'

const system = { actions: bounds.actionLimits }

describe('versions', () => {
  it('completes short versions and counts the patch up', () => {
    expect([parseVersion('1'), parseVersion('1.2'), parseVersion('1.2.3')]).toEqual(['1.0.0', '1.2.0', '1.2.3'])
    expect(nextVersion('1.2.9')).toBe('1.2.10')
  })

  it.each(['', '0', '0.0.0', '1.2.3.4', '-1', '1.-2', 'a', '1.0.x', 1, null, '1e3', ' 1'])('refuses %j', value => {
    expect(() => parseVersion(value)).toThrow('semantic version malformed')
  })
})

describe('sizes', () => {
  it.each([
    ['1 MB', 1_048_576],
    ['256K', 262_144],
    ['2 GB', 2_147_483_648],
    ['10B', 10],
    [' 1 M ', 1_048_576],
  ])('reads %j', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  it.each(['', 'MB', '1.5 MB', '1  MB', '-1 B', 5, null])('refuses %j', text => {
    expect(parseSize(text)).toBeUndefined()
  })
})

describe('limits of a namespace', () => {
  it("are clamped to the system's", () => {
    const own = { maxActionMemory: 9999, minActionMemory: 1, maxActionTimeout: 1000, minActionLogs: 5 }
    expect(actionRanges(own, system)).toEqual({
      memory: { min: 128, max: 512 },
      timeout: { min: 100, max: 1000 },
      logs: { min: 5, max: 10 },
      concurrency: { min: 1, max: 1 },
    })
    expect(payloadBytesMax({ maxPayloadSize: '5 GB' })).toBe(1_048_576)
  })

  it('count not at all when one of them cannot be read', () => {
    expect(parseNamespaceLimits({ firesPerMinute: 5, maxPayloadSize: 'big' })).toEqual({})
    expect(parseNamespaceLimits({ firesPerMinute: 1.5 })).toEqual({})
    expect(parseNamespaceLimits({ allowedKinds: 'nodejs:20' })).toEqual({})
    expect(parseNamespaceLimits(undefined)).toEqual({})
    expect(parseNamespaceLimits({ firesPerMinute: 5, storeActivations: null, other: 1 })).toEqual({ firesPerMinute: 5 })
  })

  it('show what was overridden beside what always shows', () => {
    const view = limitsView({ maxPayloadSize: '1 KB', concurrentInvocations: 3 }, { ...system, firesPerMinute: 7 })
    expect(view).toMatchObject({
      maxPayloadSize: '1 KB',
      maxActionInstances: 3,
      firesPerMinute: 7,
      invocationsPerMinute: 60,
    })
    expect(view).not.toHaveProperty('allowedKinds')
  })
})
