import { createHmac } from 'node:crypto'
import { checkJsonata, type JsonataEvaluator } from '@sluice/cloudevents/jsonata'
import type { InjectOptions } from 'fastify'
import { Registry } from 'prom-client'
import {
  bounds,
  parseRuntimesManifest,
  type ActivationRecord,
  type NamespaceLimits,
  type SystemLimits,
} from '../../model/index.ts'
import { systemClock, systemRandom, type Clock, type KeyRing, type Logger } from '../../spi/index.ts'
import { openMemoryBackend } from '../../backend/memory/index.ts'
import { createRuleFilters } from '../rule-filters.ts'
import { createController, type ControllerDeps } from '../controller.ts'
import { ensureIdentity, limitsId } from '../identities.ts'
import type { FireCall, InvokeCall } from '../services.ts'
import { createMinuteCounters } from '../throttle.ts'

/** A controller for tests, on the memory backend, with two tenants: `guest` and `other`. */

export const guest = {
  subject: 'guest',
  namespace: 'guest',
  uuid: '11111111-1111-4111-8111-111111111111',
  key: 'g'.repeat(64),
}
export const other = {
  subject: 'other',
  namespace: 'other',
  uuid: '22222222-2222-4222-8222-222222222222',
  key: 'o'.repeat(64),
}

export function basic({ uuid, key }: { uuid: string; key: string }): string {
  return `Basic ${Buffer.from(`${uuid}:${key}`).toString('base64')}`
}

export const silentLog: Logger = { error() {}, warn() {}, info() {}, debug() {}, child: () => silentLog }

export const testManifest = parseRuntimesManifest({
  runtimes: {
    nodejs: [
      {
        kind: 'nodejs:18',
        image: { prefix: 'openwhisk', name: 'action-nodejs-v18', tag: 'nightly' },
        deprecated: true,
        attached: {},
      },
      {
        kind: 'nodejs:20',
        image: { prefix: 'openwhisk', name: 'action-nodejs-v20', tag: 'nightly' },
        default: true,
        attached: {},
      },
    ],
    java: [{ kind: 'java:8', image: { name: 'java8action' }, attached: {}, requireMain: true }],
  },
})

export const openLimits: SystemLimits = { actions: bounds.actionLimits }

const testKeyRing: KeyRing = {
  encrypt: plain => plain,
  decrypt: text => text,
  hash: secret => createHmac('sha256', 'test').update(secret).digest('hex'),
  matches: (secret, hash) => testKeyRing.hash(secret) === hash,
}

/** Without JSONata's process: what needs it is tested against a live hub. */
export const silentJsonata: JsonataEvaluator = {
  check: checkJsonata,
  evaluate: () => Promise.reject(new Error('JSONata is not there in this test.')),
  close: () => Promise.resolve(),
}

export function testFilters() {
  return createRuleFilters(silentJsonata)
}

export type Fixture = Awaited<ReturnType<typeof createFixture>>

export async function createFixture(
  options: { limits?: SystemLimits; clock?: Clock; deps?: Partial<ControllerDeps> } = {},
) {
  const { limits = openLimits, clock = systemClock } = options
  const { artifacts, activations, attachments } = openMemoryBackend({ clock, random: systemRandom })
  const attachmentNames = new Set<string>()
  const put = attachments.put.bind(attachments)
  attachments.put = (id, name, body) => (attachmentNames.add(name), put(id, name, body))
  const invoked: InvokeCall[] = []
  const fired: FireCall[] = []
  const answers: { record?: ActivationRecord; inFlight: number } = { inFlight: 0 }
  const metrics = new Registry()
  const deps: ControllerDeps = {
    artifacts,
    attachments,
    activations,
    balancer: { inFlight: () => answers.inFlight },
    clock,
    random: systemRandom,
    keyRing: testKeyRing,
    log: silentLog,
    manifest: testManifest,
    rateCounters: createMinuteCounters(clock),
    invoke: {
      async invoke(call) {
        invoked.push(call)
        const activationId = answers.record?.activationId ?? systemRandom.hexId()
        return { activationId, ...(call.blocking && answers.record ? { record: answers.record } : {}) }
      },
    },
    fire: {
      async fire(call) {
        fired.push(call)
        const active = Object.values(call.trigger.rules ?? {}).some(link => link.status === 'active')
        return active ? { activationId: systemRandom.hexId() } : undefined
      },
    },
    events: { accept: async ({ events }) => events.map(() => 0) },
    filters: testFilters(),
    settlement: { get: async () => undefined, getMany: async () => ({}) },
    deadLetters: { list: async () => [], get: async () => undefined, delete: async () => undefined },
    readiness: () => [],
    config: { limits, build: { version: '0.1.0', number: '1' } },
    metrics,
    ...options.deps,
  }
  const controller = createController(deps)
  for (const identity of [guest, other]) await ensureIdentity(deps, identity)

  /** One request; `as: null` sends no credentials. Paths that begin with `~` are below the own namespace. */
  async function call(
    method: string,
    path: string,
    body?: unknown,
    { as = guest, ...more }: { as?: typeof guest | null } & InjectOptions = {},
  ) {
    const text = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    const response = await controller.app.inject({
      method: method as 'GET',
      url: path.replace(/^~/, '/api/v1/namespaces/_/').replace(/^@/, '/api/v1/namespaces/'),
      ...(text === undefined ? {} : { payload: text as string }),
      ...more,
      headers: {
        ...(as === null ? {} : { authorization: basic(as) }),
        ...(body === undefined || typeof body === 'string' ? {} : { 'content-type': 'application/json' }),
        ...more.headers,
      },
    })
    const isJson = response.headers['content-type'] === 'application/json' && response.body !== ''
    return {
      status: response.statusCode,
      headers: response.headers,
      text: response.body,

      json: isJson ? JSON.parse(response.body) : undefined,
    }
  }

  async function setLimits(namespace: string, overrides: NamespaceLimits): Promise<void> {
    const id = limitsId(namespace)
    const existing = await artifacts.get(id)
    const document = { entityType: 'limits', namespace, updated: 0, ...overrides } as const
    await artifacts.put(id, document, existing?.revision)
  }

  /** How many of the attachments that this entity ever had are still there. */
  async function attachmentsOf(id: string): Promise<number> {
    const found = await Promise.all([...attachmentNames].map(name => attachments.get(id, name)))
    return found.filter(body => body !== undefined).length
  }

  return { controller, deps, call, setLimits, artifacts, activations, attachmentsOf, invoked, fired, answers }
}

export const nodeAction = { exec: { kind: 'nodejs:default', code: 'function main(a){return a}' } }
