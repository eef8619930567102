import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openTestBackend, silent, type TestBackend } from '../../backend/embedded/testing/rig.ts'
import { topics, type ActivationMessage, type ActivationRecord, type RunOrigin } from '../../model/index.ts'
import {
  createRecordTail,
  systemClock,
  systemRandom,
  type ActivationStore,
  type Clock,
  type ContainerSpec,
  type KeyRing,
  type StoredDocument,
} from '../../spi/index.ts'
import { createInvoker, type Invoker } from '../invoker.ts'
import { openServedFactory, type ServedFactory } from './served-factory.ts'

/** For tests: an invoker on an embedded backend whose containers are served by the test. */
export type SetUp = {
  invoker: Invoker
  factory: ServedFactory
  backend: TestBackend['backend']
  crash: () => Promise<void>
  /** The record once it is durable. */
  recorded: (activationId: string) => Promise<ActivationRecord>
}

export const invokerBackends = new WeakMap<Invoker, TestBackend['backend']>()

export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-invoker-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Runs of this factory do not end before `release`; `sent` resolves when the first was sent. */
export function hangingRun(factory: ServedFactory): { sent: Promise<void>; release: () => void } {
  let release: () => void = () => undefined
  const released = new Promise<object>(done => (release = () => done({})))
  const sent = new Promise<void>(done => {
    factory.answer = path => {
      if (path !== '/run') return {}
      done()
      return released
    }
  })
  return { sent, release }
}

type Changes = {
  userMemoryMb?: number
  /** Containers never get ready. */
  startsHang?: boolean
  cleanup?: () => Promise<number>
  egress?: ContainerSpec['egress']
  clock?: Clock
  activations?: (inner: ActivationStore) => ActivationStore
  repeated?: (message: ActivationMessage) => void
}

export async function setUp(directory = scratch(), changes: Changes = {}): Promise<SetUp> {
  const opened = await openTestBackend(directory)
  const { backend } = opened
  const factory = await openServedFactory()
  if (changes.cleanup) factory.cleanup = changes.cleanup
  if (changes.startsHang) factory.create = () => new Promise(() => undefined)
  const tail = createRecordTail(error => {
    throw error
  })
  const seen = new Map<string, ActivationRecord>()
  tail.listen(record => seen.set(record.activationId, record))
  const invoker = createInvoker({
    instance: 0,
    ...backend,
    activations: changes.activations?.(backend.activations) ?? backend.activations,
    factory,
    keyRing: plainKeys,
    clock: changes.clock ?? systemClock,
    random: { ...systemRandom, fraction: () => 0 },
    log: silent,
    tail,
    limits: { resultBytesMax: 1024 * 1024, resultTruncationBytes: 1024 * 1024 },
    pool: { userMemoryMb: changes.userMemoryMb ?? 1024, pauseGraceMs: 10_000, idleContainerMs: 600_000, stemCells: [] },
    labels: {},
    egress: changes.egress ?? 'platform',
    environment: () => ({}),
    imageOf: () => 'image',
    isNative: image => image === 'native',
    ...(changes.repeated === undefined ? {} : { observe: { repeated: changes.repeated } }),
  })
  invokerBackends.set(invoker, backend)
  await putAction(backend, 'hello', { annotations: [{ key: 'provide-api-key', value: false }] })
  await putAction(backend, 'sequence', { exec: { kind: 'sequence', components: [] } })
  await invoker.start()
  let crashed = false
  onTestFinished(async () => {
    if (!crashed) await invoker.stop()
    await factory.close()
    if (!crashed) await backend.close()
  })
  return {
    invoker,
    factory,
    backend,
    async crash() {
      crashed = true
      await opened.crash()
    },
    recorded: id =>
      new Promise(done => {
        const found = seen.get(id)
        if (found) return done(found)
        const stop = tail.listen(record => {
          if (record.activationId !== id) return
          stop()
          done(record)
        })
      }),
  }
}

export async function putAction(
  backend: TestBackend['backend'] | undefined,
  name: string,
  more: object,
  namespace = 'ns',
): Promise<void> {
  const id = `${namespace}/${name}`
  const stored = await backend?.artifacts.get(id)
  const document = {
    entityType: 'action',
    namespace,
    name,
    version: '0.0.1',
    publish: false,
    updated: 1,
    annotations: [],
    parameters: [],
    exec: { kind: 'nodejs:20', code: 'code', binary: false },
    limits: { timeout: 5000, memory: 256, logs: 10, concurrency: 1 },
    ...more,
  }
  await backend?.artifacts.put(id, document as unknown as StoredDocument, stored?.revision)
}

/** Resolves to the first of them. */
export async function publish(
  backend: TestBackend['backend'],
  first: ActivationMessage,
  ...others: ActivationMessage[]
): Promise<ActivationMessage> {
  await backend.bus.publish(
    topics.invoker(0),
    [first, ...others].map(message => ({
      key: message.user.namespace.uuid,
      body: Buffer.from(JSON.stringify(message)),
    })),
  )
  return first
}

export function direct(activationId: string, more?: Partial<ActivationMessage>): ActivationMessage {
  return message(activationId, { kind: 'direct' }, more)
}

export function fromRule(activationId: string): ActivationMessage {
  return message(activationId, { kind: 'rule', fireId: 'f'.repeat(32), rule: 'ns/r', round: 0 })
}

function message(activationId: string, origin: RunOrigin, more?: Partial<ActivationMessage>): ActivationMessage {
  return {
    activationId,
    transid: 't',
    action: { id: 'ns/hello', version: '0.0.1', revision: '' },
    user: { subject: 's', namespace: { name: 'ns', uuid: 'uuid' }, limits: {} },
    blocking: true,
    content: '{}',
    acceptedAtMs: systemClock.nowMs(),
    origin,
    ...more,
  }
}

/** Locks nothing: `locked:` stands before what would be encrypted. */
const plainKeys: KeyRing = {
  encrypt: plain => `locked:${plain}`,
  decrypt: text => text.slice('locked:'.length),
  hash: () => '0'.repeat(64),
  matches: () => true,
}
