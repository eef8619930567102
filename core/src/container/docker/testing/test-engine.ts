import { readdirSync, readFileSync } from 'node:fs'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type Dockerode from 'dockerode'
import { onTestFinished } from 'vitest'
import { systemClock, systemRandom, type Container, type Logger } from '../../../spi/index.ts'
import { openDockerContainerFactory, type DockerContainerFactoryOptions } from '../docker-container-factory.ts'

/** The engine that tests use: the one of DOCKER_HOST, or the usual socket. */
export type TestEngine = {
  readonly docker: Dockerode
  /** Why its tests cannot run; empty: they can. */
  readonly missing: string
  /** Names of the variables that the test image itself sets. */
  readonly variables: readonly string[]
}

/** Runs `process/fixtures/test-runtime.mjs`, listening on the hub's socket. */
export const testImage = 'sluice-test/runtime:latest'
/** The same without the label: it is reached at its address, port 8080. */
export const plainTestImage = 'sluice-test/runtime-plain:latest'
const baseImage = 'node:20-bookworm-slim'
export const engineSocket = '/var/run/docker.sock'

/** Looks for an engine and builds the test images on it. Throws when SLUICE_TEST_REQUIRE asks for docker and it is not
 *  there. */
export async function openTestEngine(): Promise<TestEngine> {
  const { default: Docker } = await import('dockerode')
  const docker = new Docker({ socketPath: engineSocket })
  const missing = await whatIsMissing(docker)
  if (missing !== '') {
    if ((process.env.SLUICE_TEST_REQUIRE ?? '').split(',').includes('docker')) throw new Error(missing)
    return { docker, missing, variables: [] }
  }
  await build(docker, testImage, ['LABEL sluice.sockets=listen,api'])
  await build(docker, plainTestImage, ['VOLUME /scratch'])
  const { Config } = await docker.getImage(testImage).inspect()
  return { docker, missing, variables: (Config.Env ?? []).map(line => line.split('=', 1)[0] ?? '') }
}

async function whatIsMissing(docker: Dockerode): Promise<string> {
  try {
    await docker.ping()
  } catch {
    return `needs docker: no engine answers at ${engineSocket}`
  }
  try {
    await docker.getImage(baseImage).inspect()
    return ''
  } catch {
    return `needs docker: the engine has no image ${baseImage}`
  }
}

async function build(docker: Dockerode, name: string, lines: readonly string[]): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), 'sluice-test-image-'))
  try {
    const fixture = fileURLToPath(new URL('../../process/fixtures/test-runtime.mjs', import.meta.url))
    await copyFile(fixture, join(context, 'test-runtime.mjs'))
    const dockerfile = [`FROM ${baseImage}`, 'COPY test-runtime.mjs /runtime/', ...lines]
    dockerfile.push('ENTRYPOINT ["node", "/runtime/test-runtime.mjs"]', 'CMD []', '')
    await writeFile(join(context, 'Dockerfile'), dockerfile.join('\n'))
    const stream = await docker.buildImage({ context, src: ['Dockerfile', 'test-runtime.mjs'] }, { t: name })
    const steps = await new Promise<{ error?: string }[]>((resolve, reject) =>
      docker.modem.followProgress(stream, (error, all) => (error ? reject(error) : resolve(all))),
    )
    const error = steps.find(step => step.error !== undefined)?.error
    if (error !== undefined) throw new Error(`the test image could not be built: ${error}`)
  } finally {
    await rm(context, { recursive: true, force: true })
  }
}

const quiet = (): void => undefined
export const testLog: Logger = { error: console.error, warn: quiet, info: quiet, debug: quiet, child: () => testLog }

let count = 0
/** What no other run of the tests on this machine uses. */
export const unique = (what: string): string => `${what}-${process.pid}-${++count}`

/** A factory for tests; closed by the caller. */
export function openTestFactory(options: Partial<DockerContainerFactoryOptions> = {}) {
  return openDockerContainerFactory({
    engine: { socketPath: engineSocket },
    kinds: { 'test:1': testImage, 'test:plain': plainTestImage },
    registries: [],
    invoker: 0,
    installation: unique('test'),
    clock: systemClock,
    random: systemRandom,
    log: testLog,
    defaults: { user: '65532:65532', dns: [], dnsSearch: [], dnsOptions: [], tmpMb: 64, actionMb: 64 },
    transport: 'socket',
    networkRange: '10.213.0.0/16',
    deniedRanges: ['169.254.0.0/16'],
    ...options,
  })
}

/** The same, closed when the test is over. */
export async function testFactory(options: Partial<DockerContainerFactoryOptions> = {}) {
  const factory = await openTestFactory(options)
  onTestFinished(() => factory.close())
  return factory
}

/** Those of `pids`, as the container numbers them, that live. */
export function livingPids(container: Container, pids: readonly number[]): number[] {
  const living = new Set<number>()
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(container.id)) continue
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      if (/^State:\s+[ZX]/m.test(status)) continue
      living.add(Number(/^NSpid:.*?(\d+)$/m.exec(status)?.[1]))
    } catch {
      // It has ended meanwhile.
    }
  }
  return pids.filter(pid => living.has(pid))
}
