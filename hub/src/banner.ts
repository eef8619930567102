import { resolve } from 'node:path'
import { palette } from './palette.ts'
import type { Screen } from './screen.ts'

export type BannerFacts = {
  readonly apiHost: string
  /** `uuid:key` of namespace guest. */
  readonly guestKey: string
  readonly dataDir: string
  /** What runs actions. */
  readonly containers: string
  /** Where operators come in, when not by the API host. */
  readonly operatorUrl?: string
  /** Whether the samples are in `guest`. */
  readonly samples: boolean
  readonly tookMs: number
}

/** What a person sees when the hub is ready: where it is, the key, and three commands that work as they stand. */
export function banner(facts: BannerFacts, screen: Screen): string {
  const { bold, dim } = palette(screen)
  const lines = [
    '',
    `${bold('Sluice is ready')} ${dim(`(${(facts.tookMs / 1000).toFixed(1)} s)`)}`,
    '',
    `  API host   ${facts.apiHost}`,
    `  guest key  ${facts.guestKey}`,
    `  data       ${resolve(facts.dataDir)}`,
    `  actions    ${facts.containers}`,
    ...(facts.operatorUrl === undefined ? [] : [`  operators  ${facts.operatorUrl}`]),
    '',
    'Three things to try:',
  ]
  for (const { title, command } of facts.samples ? withSamples(facts) : withoutSamples(facts)) {
    lines.push('', `  ${title}`, `  ${bold(command)}`)
  }
  lines.push('', dim('Events, as they come (Ctrl-C stops the hub):'), '')
  return lines.join('\n')
}

type Try = { title: string; command: string }

function withSamples({ apiHost, guestKey }: BannerFacts): Try[] {
  return [
    {
      title: 'Run an action and wait for its result:',
      command: call(apiHost, guestKey, 'POST', 'actions/greet?blocking=true&result=true', '{"name":"you"}'),
    },
    {
      title: 'Send an event, as a webhook would; its rule runs the action:',
      command: call(apiHost, guestKey, 'POST', 'triggers/webhook', '{"name":"event"}'),
    },
    list(apiHost, guestKey),
  ]
}

function withoutSamples({ apiHost, guestKey }: BannerFacts): Try[] {
  const action =
    '{"exec":{"kind":"nodejs:default","code":"const main = ({ name }) => ({ greeting: `Hello ${name}` })"}}'
  return [
    { title: 'Create an action:', command: call(apiHost, guestKey, 'PUT', 'actions/greet?overwrite=true', action) },
    {
      title: 'Run it and wait for its result:',
      command: call(apiHost, guestKey, 'POST', 'actions/greet?blocking=true&result=true', '{"name":"you"}'),
    },
    list(apiHost, guestKey),
  ]
}

function list(apiHost: string, guestKey: string): Try {
  return { title: 'See what ran:', command: call(apiHost, guestKey, 'GET', 'activations?limit=5') }
}

function call(apiHost: string, guestKey: string, method: string, path: string, body?: string): string {
  const address = `'${apiHost}/api/v1/namespaces/_/${path}'`
  const content = body === undefined ? '' : ` -H 'Content-Type: application/json' -d '${body}'`
  return `curl -s -u ${guestKey} -X ${method} ${address}${content}`
}
