import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { engineSocket } from './docker-needed.ts'
import { engineClient } from './engine-client.ts'

/** What there is of a hub with this data directory beside its process: names of containers, networks, and directories. */
export async function remainsOf(dataDir: string): Promise<string[]> {
  const installation = digest(resolve(dataDir), 16)
  const prefixes = [`sluice-d-${digest(`${installation}.0`, 12)}-`, `sluice-${digest(`${installation}.0.`, 12)}-`]
  const directories = readdirSync(tmpdir()).filter(name => prefixes.some(prefix => name.startsWith(prefix)))
  if (process.env.SLUICE_TEST_CONTAINERS !== 'docker') return directories
  const filters = encodeURIComponent(JSON.stringify({ label: [`sluice.installation=${installation}`] }))
  const engine = engineClient(engineSocket)
  const containers = await engine.call('GET', `/containers/json?all=true&filters=${filters}`)
  const networks = await engine.call('GET', `/networks?filters=${filters}`)
  const names = (containers.body as { Names: string[] }[]).map(({ Names }) => Names[0] ?? '')
  return [...directories, ...names, ...(networks.body as { Name: string }[]).map(({ Name }) => Name)]
}

function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length)
}
