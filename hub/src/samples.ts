import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { HubClient } from '@sluice/core/client'
import { bounds } from '@sluice/core/model'
import { systemClock } from '@sluice/core/spi'
import { onceMark, openDataDirectory } from './data-directory.ts'

/** Notes in the data directory that the samples were installed, or were not wanted: who deletes them, keeps them away. */
const markName = 'samples-done'

export type SamplesOutcome = {
  /** Whether they can be expected to be there. */
  readonly present: boolean
  readonly failure?: string
}

/** Installs the samples into `guest` at the first start of a data directory. Never throws: the hub works without them. */
export async function installSamplesOnce(options: {
  wanted: boolean
  dataDir: string
  apiHost: string
  guestKey: string
}): Promise<SamplesOutcome> {
  const { wanted, dataDir, apiHost, guestKey: auth } = options
  try {
    const once = onceMark(openDataDirectory(dataDir), markName)
    if (once.done || !wanted) {
      if (!once.done) once.mark()
      return { present: wanted }
    }
    const { createHubClient } = await import('@sluice/core/client')
    const client = createHubClient({ apihost: apiHost, clock: systemClock })
    try {
      await installSamples(client, auth)
    } finally {
      await client.close()
    }
    once.mark()
    return { present: true }
  } catch (error) {
    return { present: false, failure: error instanceof Error ? error.message : String(error) }
  }
}

/**
 * Two flows:
 *   alarm every 10 s -> every-10-seconds -> tell-the-time -> hello-clock
 *   webhook (curl)   -> webhook          -> greet-caller  -> greet
 * May be repeated. Throws with the hub's own text when it refuses one.
 */
export async function installSamples(client: HubClient, auth: string): Promise<void> {
  const signal = AbortSignal.timeout(bounds.hub.samplesMs)
  const call = { auth, signal, overwrite: true }
  const here = (name: string) => ({ namespace: '_', name })
  const put = (what: string, answer: Promise<Answered>) => mustSucceed(`sample ${what}`, answer)

  for (const action of ['hello-clock', 'greet']) {
    const exec = { kind: 'nodejs:default', code: sourceOf(action) }
    await put(action, client.putAction(here(action), { exec, annotations: [described(action)] }, call))
  }
  await put('webhook', client.putTrigger(here('webhook'), { annotations: [described('webhook')] }, call))
  const feed = { key: 'feed', value: '/whisk.system/alarms/alarm' }
  await put(
    'every-10-seconds',
    client.putTrigger(here('every-10-seconds'), { annotations: [feed, described('every-10-seconds')] }, call),
  )
  await put('greet-caller', client.putRule(here('greet-caller'), { trigger: '/_/webhook', action: '/_/greet' }, call))
  await put(
    'tell-the-time',
    client.putRule(here('tell-the-time'), { trigger: '/_/every-10-seconds', action: '/_/hello-clock' }, call),
  )
  const body = {
    lifecycleEvent: 'CREATE',
    triggerName: '/_/every-10-seconds',
    authKey: auth,
    cron: '*/10 * * * * *',
    trigger_payload: { greeting: 'The sluice is open' },
  }
  const alarm = { namespace: 'whisk.system', name: 'alarms/alarm' }
  await put('alarm', client.invoke(alarm, { auth, signal, blocking: true, body }))
}

type Answered = { readonly status: number; readonly body?: unknown; readonly text: string }

/** 502 is an action's own error; 202 a blocking invoke that took too long. */
async function mustSucceed(what: string, pending: Promise<Answered>): Promise<void> {
  const { status, body } = await pending
  if (status === 200) return
  const { error, response } = (body ?? {}) as { error?: unknown; response?: { result?: unknown } }
  throw new Error(`${what}: ${reasonIn(error) ?? reasonIn(response?.result) ?? `the hub answered ${status}`}`)
}

/** The text in it: a feed action wraps its provider's `{ error: text }` into an `error` of its own. */
function reasonIn(value: unknown, depth = 0): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null || depth > 3) return undefined
  return reasonIn((value as { error?: unknown }).error, depth + 1)
}

const descriptions: Readonly<Record<string, string>> = {
  'hello-clock': 'Sample: says what time the alarm was due',
  greet: 'Sample: greets whoever the event names',
  webhook: 'Sample: fire it with an HTTP request',
  'every-10-seconds': 'Sample: fired by the alarms provider',
}

function described(name: string): { key: string; value: string } {
  return { key: 'description', value: descriptions[name] ?? '' }
}

/** The samples lie beside the sources and beside the build: the nearest folder of that name going up. */
function sourceOf(action: string): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'samples')) && folder !== dirname(folder)) folder = dirname(folder)
  return readFileSync(join(folder, 'samples', `${action}.js`), 'utf8')
}
