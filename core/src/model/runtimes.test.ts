import { describe, expect, it } from 'vitest'
import { parseImageName, printImageName, sameImage } from './image-name.ts'
import { parseRuntimesManifest, runtimeInfo, unknownKindText, withKinds } from './runtimes.ts'

const image = { prefix: 'openwhisk', name: 'action-nodejs-v20', tag: 'nightly' }

function manifestOf(...kinds: object[]) {
  return parseRuntimesManifest({ runtimes: { nodejs: kinds } })
}

describe('parseRuntimesManifest', () => {
  it('[runtime:MAN-01] [runtime:MAN-11] reads kinds, defaults and stem cells', () => {
    const manifest = parseRuntimesManifest({
      description: ['free text'],
      runtimes: {
        nodejs: [
          {
            kind: 'nodejs:20',
            default: true,
            image: { registry: 'r.example:5000', ...image },
            attached: { attachmentName: 'codefile', attachmentType: 'text/plain' },
            stemCells: [
              {
                initialCount: 2,
                memory: '256 MB',
                reactive: { minCount: 1, maxCount: 4, ttl: '2 minutes', threshold: 1, increment: 1 },
              },
            ],
          },
          { kind: 'nodejs:18', image },
        ],
      },
      blackboxes: [{ prefix: 'openwhisk', name: 'dockerskeleton', tag: 'nightly' }],
    })
    expect(manifest.resolve('nodejs:default')?.kind).toBe('nodejs:20')
    expect(manifest.resolve('nodejs:18')?.kind).toBe('nodejs:18')
    expect(manifest.resolve('nodejs')).toBeUndefined()
    expect(manifest.kind('nodejs:20')?.stemCells).toMatchObject([{ initialCount: 2, memoryMb: 256 }])
    const kind = manifest.kind('nodejs:20')
    expect(kind && runtimeInfo(kind)).toEqual({
      kind: 'nodejs:20',
      image: 'r.example:5000/openwhisk/action-nodejs-v20:nightly',
      deprecated: false,
      default: true,
      attached: true,
      requireMain: false,
    })
    expect(unknownKindText('cobol:1', manifest)).toBe(
      "The specified runtime 'cobol:1' is not supported by this platform. Valid values are: 'nodejs:20', 'nodejs:18', 'sequence', 'blackbox'.",
    )
  })

  it('[runtime:MAN-02] refuses a family without a default, or with two', () => {
    expect(() => manifestOf({ kind: 'a:1', image }, { kind: 'a:2', image })).toThrow(
      'nodejs has multiple versions, but no default.',
    )
    expect(() => manifestOf({ kind: 'a:1', image, default: true }, { kind: 'a:2', image, default: true })).toThrow(
      'Found more than one default for nodejs: a:1, a:2',
    )
  })

  it('[runtime:MAN-03] takes a single version for the default', () => {
    expect(manifestOf({ kind: 'nodejs:20', image }).resolve('nodejs:default')?.kind).toBe('nodejs:20')
  })

  it('[runtime:MAN-04] takes count for initialCount and refuses half a stem cell', () => {
    const cell = (stemCell: object) => manifestOf({ kind: 'nodejs:20', image, stemCells: [stemCell] })
    expect(cell({ count: 1, memory: '128 MB' }).kind('nodejs:20')?.stemCells[0]?.initialCount).toBe(1)
    expect(() => cell({ initialCount: 1 })).toThrow('memory is required, just provide initialCount: 1')
    expect(() => cell({ memory: '256 MB' })).toThrow('initialCount is required, just provide memory: 256 MB')
    expect(() => cell({})).toThrow('both initialCount and memory are required')
    expect(() => cell({ initialCount: 0, memory: '256 MB' })).toThrow('initialCount must be positive')
  })

  it.each([
    [{ minCount: 3, maxCount: 2 }],
    [{ maxCount: 0, minCount: 0 }],
    [{ ttl: '0 minutes' }],
    [{ threshold: 0 }],
    [{ increment: 0 }],
    [{ increment: 5 }],
  ])('[runtime:MAN-05] refuses the reactive setting %j', wrong => {
    const reactive = { minCount: 1, maxCount: 4, ttl: '2 minutes', threshold: 1, increment: 1, ...wrong }
    const stemCells = [{ initialCount: 1, memory: '256 MB', reactive }]
    expect(() => manifestOf({ kind: 'nodejs:20', image, stemCells })).toThrow('runtimes manifest: ')
  })

  it('[runtime:MAN-06] puts registry, prefix and tag around a name', () => {
    const shown = (fields: object, registry?: string) => {
      const manifest = parseRuntimesManifest({ runtimes: { x: [{ kind: 'x:1', image: fields }] } }, registry)
      return printImageName(manifest.kind('x:1')?.image ?? { name: '' })
    }
    expect(shown(image, 'reg.example')).toBe('reg.example/openwhisk/action-nodejs-v20:nightly')
    expect(shown(image, 'reg.example/')).toBe('reg.example/openwhisk/action-nodejs-v20:nightly')
    expect(shown({ ...image, registry: 'own' }, 'reg.example')).toBe('own/openwhisk/action-nodejs-v20:nightly')
    expect(shown({ name: 'n', prefix: '', tag: '' })).toBe('n')
  })

  it('[runtime:MAN-07] takes a missing tag for latest', () => {
    expect(sameImage({ name: 'x' }, { name: 'x', tag: 'latest' })).toBe(true)
    expect(sameImage({ name: 'x' }, { name: 'x', tag: 'other' })).toBe(false)
  })

  it('[runtime:MAN-09] treats the images among blackboxes as its own, whatever kinds can be started', () => {
    const blackboxes = [{ prefix: 'sluice', name: 'action-skeleton', tag: 'latest' }]
    const manifest = withKinds(parseRuntimesManifest({ runtimes: {}, blackboxes }), () => false)
    expect(manifest.isNativeImage({ prefix: 'sluice', name: 'action-skeleton' })).toBe(true)
    expect(manifest.isNativeImage({ prefix: 'sluice', name: 'action-skeleton', tag: 'other' })).toBe(false)
    expect(manifest.isNativeImage({ prefix: 'other', name: 'action-skeleton' })).toBe(false)
  })

  it.each([[{}], [null], [{ runtimes: [] }], [{ runtimes: { a: {} } }], [{ runtimes: { a: [{ kind: 1 }] } }]])(
    'refuses %j',
    document => {
      expect(() => parseRuntimesManifest(document)).toThrow('runtimes manifest: ')
    },
  )

  it('keeps only the kinds that can be started, each family with a default', () => {
    const manifest = parseRuntimesManifest({
      runtimes: {
        nodejs: [
          { kind: 'nodejs:20', image, default: true, attached: {} },
          { kind: 'nodejs:22', image, attached: {} },
        ],
        java: [{ kind: 'java:8', image }],
      },
    })
    const kept = withKinds(manifest, kind => kind === 'nodejs:22')
    expect(kept.families).toHaveLength(1)
    expect(kept.resolve('nodejs:default')).toMatchObject({ kind: 'nodejs:22', attached: true })
  })
})

describe('parseImageName', () => {
  it.each([
    ['image', { name: 'image' }],
    ['prefix/image:tag', { prefix: 'prefix', name: 'image', tag: 'tag' }],
    ['a/b/c', { prefix: 'a/b', name: 'c' }],
    ['host:42/image', { registry: 'host:42', name: 'image' }],
    ['reg.example.com/p/image:t', { registry: 'reg.example.com', prefix: 'p', name: 'image', tag: 't' }],
  ])('[runtime:MAN-08] reads %s', (text, parts) => {
    expect(parseImageName(text)).toEqual(parts)
    expect(printImageName(parts)).toBe(text)
  })

  it.each(['ABC', 'x:8080:10/abc', 'p/a:x:y', 'p/a:t@sha256:77af4d6b9', '', 'a//b', 'a b', `${'a'.repeat(600)}`])(
    '[runtime:MAN-08] refuses %s',
    text => {
      expect(parseImageName(text)).toBeUndefined()
    },
  )

  it('leaves a digest out', () => {
    expect(parseImageName(`p/a:t@sha256:${'a'.repeat(64)}`)).toEqual({ prefix: 'p', name: 'a', tag: 't' })
  })

  it('takes no longer for a long hostile name than for a short one', () => {
    const before = performance.now()
    for (const text of [`${'a-'.repeat(250)}!`, `${'a__'.repeat(160)}!`, `${'1.'.repeat(250)}/`]) parseImageName(text)
    expect(performance.now() - before).toBeLessThan(50)
  })
})
