import { createHash } from 'node:crypto'
import type { Labels } from '../../spi/index.ts'
import { fateOf } from '../ownership/owner.ts'

/** Label of everything that any hub makes: which data directory it belongs to, as a digest. */
export const installationLabel = 'sluice.installation'
/** Label of everything that is made where processes can be told apart: the note of the hub's process. */
const ownerLabel = 'sluice.owner'

/** Labels of everything that an invoker makes, in whatever life: what has them and is in no table is its own stray. */
export function invokerLabels(installation: string, invoker: number): Record<string, string> {
  return { [installationLabel]: digest(installation), 'sluice.invoker': String(invoker) }
}

/** Label by which others know whether it is still needed. */
export function ownerLabels(note: string | undefined): Record<string, string> {
  return note === undefined ? {} : { [ownerLabel]: note }
}

/** Whether this was made by a hub whose process is gone. What runs has not come from an earlier boot of the machine. */
export function isAbandoned(labels: Labels, running = false): boolean {
  const fate = fateOf(labels[ownerLabel] ?? '')
  return fate === 'ended' || (fate === 'before' && !running)
}

export function hasLabels(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value)
}

/** As the engine's filters take them. */
export function labelList(labels: Labels): string[] {
  return Object.entries(labels).map(([name, value]) => `${name}=${value}`)
}

/** Short, and without characters that mean something to the engine. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
