import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import {
  ContainerClient,
  placeFiles,
  withShared,
  type Exit,
  type StartOptions,
  type TestContainer,
  type Way,
} from './container.ts'
import { engineDoes, followLogs, missingImage } from './engine.ts'
import { untilListening } from './process-way.ts'

/** The folder that a test and its container share. */
const shared = '/shared'

/**
 * Everything that the hub takes away from a container (reliability.md §5.2): a runtime has to work with what is left.
 * `/action` hides what an image brings there; images of users that bring something run without it.
 */
export const hardening = {
  ReadonlyRootfs: true,
  CapDrop: ['ALL'],
  SecurityOpt: ['no-new-privileges'],
  PidsLimit: 1024,
  NetworkMode: 'none',
  Memory: 256 * 1024 * 1024,
  MemorySwap: 256 * 1024 * 1024,
}

export type DockerOptions = {
  readonly image: string
  /** Without the tmpfs at /action. */
  readonly ownAction?: boolean
  /** Instead of the image's own. */
  readonly command?: readonly string[]
  readonly memoryMb?: number
}

/** A runtime in a container of the engine, hardened as the hub does it, without a network: its door is a socket. */
export function dockerWay(options: DockerOptions): Way {
  return {
    name: `in the image ${options.image}`,
    missing: () => missingImage(options.image),
    start: start => startContainer(options, start ?? {}),
  }
}

export async function startContainer(
  { image, ownAction = false, command, memoryMb = 256 }: DockerOptions,
  { env = {}, files = {} }: StartOptions = {},
): Promise<TestContainer> {
  const folder = mkdtempSync(join(tmpdir(), 'runtime-'))
  chmodSync(folder, 0o777)
  placeFiles(folder, files)
  const variables = { __OW_LISTEN_SOCKET: `${shared}/s`, ...withShared(env, shared) }
  const bytes = memoryMb * 1024 * 1024
  const { Id: id } = (await engineDoes('POST', '/containers/create', {
    Image: image,
    Env: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    Labels: { 'sluice.test': String(process.pid) },
    ...(command === undefined ? {} : { Entrypoint: command, Cmd: [] }),
    HostConfig: {
      ...hardening,
      Memory: bytes,
      MemorySwap: bytes,
      Binds: [`${folder}:${shared}`],
      Tmpfs: { '/tmp': 'rw,noexec,nosuid,size=64m', ...(ownAction ? {} : { '/action': 'rw,exec,nosuid,size=256m' }) },
    },
  })) as { Id: string }
  onTestFinished(async () => {
    await engineDoes('DELETE', `/containers/${id}?force=1&v=1`)
    rmSync(folder, { recursive: true, force: true })
  })
  await engineDoes('POST', `/containers/${id}/start`)
  const client = new ContainerClient(join(folder, 's'))
  onTestFinished(() => client.close())
  const followed = followLogs(id, (stream, text) => client.written(stream, text))
  const exited: Promise<Exit> = engineDoes('POST', `/containers/${id}/wait`).then((answer: { StatusCode: number }) => ({
    code: answer.StatusCode,
    signal: null,
  }))
  exited.catch(() => undefined)
  followed.catch(() => undefined)
  await untilListening(join(folder, 's'))
  return {
    shared,
    exited,
    post: (path, body, method) => client.post(path, body, method),
    init: (code, options) => client.init(code, options),
    run: (value, fields) => client.run(value, fields),
    connect: () => connect(join(folder, 's')),
    kill: signal => engineDoes('POST', `/containers/${id}/kill?signal=${signal}`).then(() => undefined),
    output: stream => client.output(stream),
    shows: (stream, text) => client.shows(stream, text),
    async logs() {
      await engineDoes('POST', `/containers/${id}/kill`).catch(() => undefined) // it may have ended itself
      await followed
      return client.logs()
    },
  }
}
