import { readFileSync } from 'node:fs'
import { isLoopbackHost } from './loopback.ts'
import { check, type Places } from './check.ts'
import { fromEnvironment } from './from-environment.ts'
import { givenText, type Given, type Mistake } from './given.ts'
import { bounds } from '../model/bounds.ts'
import { SluiceError } from '../model/errors.ts'
import { isEntityName } from '../model/names.ts'
import { operatorPort, type Config, type LimitsProfile, type Settings } from './schema.ts'
import { defaultsOf, rootNode } from './schema-node.ts'

/** A setting given on the command line: `{ flag: '--port', path: 'http.port', text: '8080' }`. */
export type Flag = { readonly flag: string; readonly path: string; readonly text: string }

export type ConfigSources = {
  /** A YAML file that must exist; none: no file. */
  readonly file?: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly flags: readonly Flag[]
}

/**
 * The effective configuration: defaults < file < environment < flags. Rejects with SLUICE_CONFIG with one line for each
 * mistake in any of them, each with its place.
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const mistakes: Mistake[] = []
  const layers: Given[] = []
  if (sources.file !== undefined) layers.push(...(await fromFile(sources.file, mistakes)))
  layers.push(...fromEnvironment(rootNode, sources.env, mistakes))
  for (const { flag, path, text } of sources.flags)
    layers.push(givenText(rootNode, path.split('.'), text, flag, mistakes))

  const settings = defaultsOf(rootNode) as Record<string, unknown>
  const places: Places = new Map()
  for (const layer of layers) mergeInto(settings, check(rootNode, layer, mistakes, places) ?? {})
  const config = decide(settings as Settings)
  if (mistakes.length === 0) checkTogether(config, places, mistakes)
  if (mistakes.length > 0) throw new SluiceError('SLUICE_CONFIG', describe(mistakes))
  return config
}

async function fromFile(file: string, mistakes: Mistake[]): Promise<Given[]> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    mistakes.push({
      place: file,
      text: `the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
    })
    return []
  }
  if (text.length > bounds.config.fileCharactersMax) {
    mistakes.push({ place: file, text: `the file is longer than ${bounds.config.fileCharactersMax} characters` })
    return []
  }
  // The YAML parser is loaded only by those who have a file.
  const { fromYaml } = await import('./from-yaml.ts')
  return [fromYaml(text, file, mistakes)]
}

/** Sections are merged key by key; a list replaces the one before it. Keys were checked: none is foreign. */
function mergeInto(target: Record<string, unknown>, from: object): void {
  for (const [key, value] of Object.entries(from)) {
    const before = target[key]
    if (isSection(before) && isSection(value)) mergeInto(before, value)
    else target[key] = value
  }
}

function isSection(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** Fills in what depends on other settings. */
function decide(settings: Settings): Config {
  const isLocal = isLoopbackHost(settings.http.host)
  const profile: LimitsProfile = settings.limits.profile ?? (isLocal ? 'open' : 'openwhisk')
  const port = settings.admin.port ?? (isLocal ? undefined : operatorPort)
  const perNamespace = profile === 'openwhisk' ? bounds.limitsDefault : {}
  const admin = { ...settings.admin, ...(port === undefined ? {} : { port }) }
  return { ...settings, admin, limits: { ...perNamespace, ...settings.limits, profile } }
}

/** What no setting alone can be blamed for. */
function checkTogether(config: Config, places: Places, mistakes: Mistake[]): void {
  const actions: Record<string, number> = config.limits.actions
  for (const name of ['timeoutMs', 'memoryMb', 'logsMb', 'concurrency']) {
    const [least, usual, most] = [`${name}Min`, `${name}Default`, `${name}Max`]
    if ((actions[least] ?? 0) <= (actions[usual] ?? 0) && (actions[usual] ?? 0) <= (actions[most] ?? 0)) continue
    const paths = [usual, most, least].map(key => `limits.actions.${key}`)
    const place = paths.map(path => places.get(path)).find(found => found !== undefined) ?? 'limits.actions'
    const text = `limits.actions must have ${least} ≤ ${usual} ≤ ${most}, not ${actions[least]}, ${actions[usual]}, ${actions[most]}`
    mistakes.push({ place, text })
  }
  if (config.admin.port === config.http.port && config.http.port !== 0) {
    const paths = ['admin.port', 'http.port']
    const place = paths.map(path => places.get(path)).find(found => found !== undefined) ?? 'admin.port'
    mistakes.push({ place, text: `admin.port and http.port must differ, or admin.port be left out` })
  }
  const seen = new Set<string>()
  config.identities.forEach(({ namespace, key }, index) => {
    const path = `identities[${index}]`
    const place = places.get(path) ?? path
    const uuid = key.slice(0, key.indexOf(':')).toLowerCase()
    if (!isEntityName(namespace)) mistakes.push({ place, text: `${path}.namespace is not a legal namespace` })
    if (seen.has(uuid)) mistakes.push({ place, text: `${path}.key has the uuid of an earlier identity` })
    seen.add(uuid)
  })
}

function describe(mistakes: readonly Mistake[]): string {
  const lines = [...new Set(mistakes.map(({ place, text }) => `  ${place}: ${text}`))]
  const count = lines.length === 1 ? 'a mistake' : `${lines.length} mistakes`
  return `The configuration has ${count}:\n${lines.join('\n')}`
}
