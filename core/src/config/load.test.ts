import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SluiceError } from '../model/errors.ts'
import { loadConfig, type ConfigSources } from './load.ts'

const uuid = '23bc46b1-71f6-4ed5-8c54-816aa4f8c502'
const key = `${uuid}:${'k'.repeat(64)}`

describe('loadConfig', () => {
  it('gives every setting its default when nothing is set', async () => {
    const config = await load({})
    expect(config.http).toEqual({ host: '127.0.0.1', port: 3233 })
    expect(config.dataDir).toBe('./.sluice')
    expect(config.limits.actions.concurrencyMax).toBe(1)
    expect(config.identities).toEqual([])
  })

  it('lets the file override defaults, the environment the file, and flags the environment', async () => {
    const file = yaml('http:\n  host: 127.0.0.2\n  port: 1001\ncontainers:\n  mode: docker\n')
    const env = { SLUICE_HTTP__PORT: '1002', SLUICE_CONTAINERS__MODE: 'process' }
    const config = await load({ file, env, flags: [{ flag: '--port', path: 'http.port', text: '1003' }] })
    expect(config.http).toEqual({ host: '127.0.0.2', port: 1003 })
    expect(config.containers.mode).toBe('process')
  })

  it('reads camel case, top-level names and lists from the environment', async () => {
    const config = await load({
      env: {
        SLUICE__DATA_DIR: '/data',
        SLUICE_INVOKER__USER_MEMORY_MB: '512',
        SLUICE_PROVIDERS__ALARMS__LIMIT_CRON_FIELDS: 'true',
        SLUICE__IDENTITIES: JSON.stringify([{ namespace: 'team', key }]),
      },
    })
    expect(config.dataDir).toBe('/data')
    expect(config.invoker.userMemoryMb).toBe(512)
    expect(config.providers.alarms.limitCronFields).toBe(true)
    expect(config.identities).toEqual([{ namespace: 'team', key }])
  })

  it('ignores names without two underscores, names of tests, and empty values', async () => {
    const env = { SLUICE_PORT: '1', SLUICE_TEST_HTTP__PORT: '2', SLUICE_HTTP__PORT: '', OTHER__NAME: '4' }
    expect((await load({ env })).http.port).toBe(3233)
  })

  it('reports every mistake of every source at once, each with its place', async () => {
    const file = yaml('http:\n  prot: 8080\n  port: "80"\nlimits:\n  profile: opne\nport: 1\n')
    const message = await mistakesOf({
      file,
      env: { SLUICE_CONTAINRS__MODE: 'auto', SLUICE_HTTP__PORT: '70000' },
      flags: [{ flag: '--containers', path: 'containers.mode', text: 'podman' }],
    })
    expect(message.split('\n')).toEqual([
      'The configuration has 7 mistakes:',
      `  ${file}:2:3: unknown setting http.prot; did you mean http.port?`,
      `  ${file}:3:9: http.port must be a whole number from 0 to 65535, not "80"`,
      `  ${file}:5:12: limits.profile must be one of open, openwhisk, not "opne"; did you mean open?`,
      `  ${file}:6:1: unknown setting port; did you mean http.port?`,
      '  SLUICE_CONTAINRS__MODE: unknown setting containrs; did you mean containers?',
      '  SLUICE_HTTP__PORT: http.port must be a whole number from 0 to 65535, not "70000"',
      '  --containers: containers.mode must be one of auto, process, docker, not "podman"',
    ])
  })

  it('never repeats a secret in a mistake', async () => {
    const file = yaml('identities:\n  - namespace: team\n    key: hunter2\n')
    const message = await mistakesOf({ file, env: { SLUICE_SECRETS__MASTER_KEY: 'hunter3' } })
    expect(message).toContain(':3:10: identities[0].key must be uuid:secret')
    expect(message).toContain('SLUICE_SECRETS__MASTER_KEY: secrets.masterKey must be 64 hex digits')
    expect(message).not.toContain('hunter')
  })

  it('names what an entry of a list lacks', async () => {
    expect(await mistakesOf({ file: yaml('identities:\n  - namespace: team\n') })).toContain(
      'identities[0].key is missing',
    )
  })

  it('refuses keys that would reach an object prototype', async () => {
    const message = await mistakesOf({ file: yaml('__proto__:\n  port: 1\nconstructor: {}\n') })
    expect(message).toContain('unknown setting __proto__')
    expect(message).toContain('unknown setting constructor')
    expect(({} as { port?: number }).port).toBeUndefined()
  })

  it('shows where the YAML itself is broken, and where a key stands twice', async () => {
    expect(await mistakesOf({ file: yaml('http: {port: 1\n') })).toMatch(/sluice\.yaml:\d+:\d+: /)
    expect(await mistakesOf({ file: yaml('http:\n  port: 1\n  port: 2\n') })).toMatch(/sluice\.yaml:3:3: .*unique/)
  })

  it('takes a section without settings as not given', async () => {
    expect((await load({ file: yaml('http:\n# nothing\n') })).http.port).toBe(3233)
  })

  it('says so when the file is not there', async () => {
    expect(await mistakesOf({ file: '/nowhere/sluice.yaml' })).toContain(
      '/nowhere/sluice.yaml: the file cannot be read (ENOENT)',
    )
  })

  it('survives a file that is nested without end', async () => {
    expect(await mistakesOf({ file: yaml('['.repeat(100_000)) })).toContain('nested more than 64 deep')
    expect(await mistakesOf({ file: yaml('- '.repeat(100_000)) })).toContain('sluice.yaml')
    expect(await mistakesOf({ file: yaml('? '.repeat(100_000)) })).toContain('sluice.yaml')
    expect(await mistakesOf({ file: yaml('- '.repeat(2000)) })).toContain('sluice.yaml')
    const stairs = Array.from({ length: 400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')
    expect(await mistakesOf({ file: yaml(stairs) })).toContain('unknown setting a')
  })

  it('refuses aliases, those that name themselves and those that grow without end among them', async () => {
    const refusal = /sluice\.yaml:\d+:\d+: aliases \(\*name\) are not read/
    expect(await mistakesOf({ file: yaml('a: &a [*a]\n') })).toMatch(refusal)
    expect(await mistakesOf({ file: yaml('http: &h { port: &p 1 }\ninvoker: { pauseGraceMs: *p }\n') })).toMatch(
      refusal,
    )
    const bomb = ['a0: &a0 [x, x]']
    for (let level = 1; level < 30; level++) bomb.push(`a${level}: &a${level} [${`*a${level - 1}, `.repeat(9)}x]`)
    const since = performance.now()
    expect(await mistakesOf({ file: yaml(bomb.join('\n')) })).toMatch(refusal)
    expect(performance.now() - since).toBeLessThan(2000)
  })

  it('is open on loopback and as OpenWhisk elsewhere, unless told', async () => {
    expect((await load({})).limits).toMatchObject({ profile: 'open' })
    expect((await load({})).limits.firesPerMinute).toBeUndefined()
    const wide = await load({ env: { SLUICE_HTTP__HOST: '0.0.0.0' } })
    expect(wide.limits).toMatchObject({ profile: 'openwhisk', invocationsPerMinute: 60, concurrentInvocations: 30 })
    const raised = await load({
      env: { SLUICE_LIMITS__PROFILE: 'openwhisk', SLUICE_LIMITS__INVOCATIONS_PER_MINUTE: '600' },
    })
    expect(raised.limits).toMatchObject({ profile: 'openwhisk', invocationsPerMinute: 600, firesPerMinute: 60 })
  })

  it('[sec:S13] gives operators a port of their own where the hub is open to the network, and where they ask for one', async () => {
    const adminOf = async (env: Record<string, string>) => (await load({ env })).admin
    expect(await adminOf({})).toEqual({ host: '127.0.0.1' })
    expect(await adminOf({ SLUICE_HTTP__HOST: '0.0.0.0' })).toEqual({ host: '127.0.0.1', port: 3234 })
    expect(await adminOf({ SLUICE_ADMIN__PORT: '0', SLUICE_ADMIN__HOST: '10.0.0.1' })).toEqual({
      host: '10.0.0.1',
      port: 0,
    })
    expect(await mistakesOf({ env: { SLUICE_ADMIN__PORT: '3233' } })).toContain('admin.port and http.port must differ')
  })

  it('refuses action bounds that contradict each other, at the place that broke them', async () => {
    const message = await mistakesOf({ env: { SLUICE_LIMITS__ACTIONS__MEMORY_MB_MAX: '128' } })
    expect(message).toContain(
      'SLUICE_LIMITS__ACTIONS__MEMORY_MB_MAX: limits.actions must have memoryMbMin ≤ memoryMbDefault',
    )
  })

  it('refuses two identities with one uuid and names that are none', async () => {
    const identities = [
      { namespace: 'one', key },
      { namespace: 'no/slash', key },
    ]
    const message = await mistakesOf({ env: { SLUICE__IDENTITIES: JSON.stringify(identities) } })
    expect(message).toContain('identities[1].namespace is not a legal namespace')
    expect(message).toContain('identities[1].key has the uuid of an earlier identity')
  })

  it('asks for JSON where a variable should hold a list', async () => {
    expect(await mistakesOf({ env: { SLUICE__IDENTITIES: 'guest' } })).toContain(
      'identities must be given as JSON here',
    )
  })
})

function load(sources: Partial<ConfigSources>) {
  return loadConfig({ env: {}, flags: [], ...sources })
}

async function mistakesOf(sources: Partial<ConfigSources>): Promise<string> {
  try {
    await load(sources)
  } catch (error) {
    expect(error).toBeInstanceOf(SluiceError)
    expect((error as SluiceError).code).toBe('SLUICE_CONFIG')
    return (error as SluiceError).message
  }
  throw new Error('the configuration was taken')
}

function yaml(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-config-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'sluice.yaml')
  writeFileSync(file, text)
  return file
}
