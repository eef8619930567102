import { createHash } from 'node:crypto'
import type { Identity, Parameters } from './entities.ts'

/** One accepted event: everything that fan-out needs, so that it never reads the trigger again (design.md §3). */
export type FireRecord = {
  /** Also the trigger's activation id. */
  readonly fireId: string
  readonly transid: string
  readonly trigger: {
    readonly namespace: string
    readonly name: string
    readonly version: string
    readonly parameters: Parameters
  }
  readonly user: Identity
  readonly acceptedAtMs: number
  /** JSON text of an object: the event's data as it was sent, or, if `wholeEvent`, the event with everything in it. */
  readonly payload: string
  readonly wholeEvent?: boolean
  /** Lower-cased request headers that actions may see (`__ow_headers`); never authorization or cookie. */
  readonly headers: Readonly<Record<string, string>>
  /** CloudEvents context attributes; the event's data is the payload. */
  readonly event: Readonly<Record<string, string | number | boolean>>
  /** What the actions get (design.md §6); absent: OpenWhisk's own form. */
  readonly input?: 'event' | 'data' | 'legacy+ce'
  readonly rules: readonly FiredRule[]
  /** A rule of the trigger has a filter: its record tells how many passed (events.md §3.6). */
  readonly hasFilters?: boolean
}

/** What of a fire the actions get to see. */
export type FireContent = Pick<FireRecord, 'payload' | 'wholeEvent' | 'headers' | 'event' | 'input'> & {
  readonly trigger: Pick<FireRecord['trigger'], 'parameters'>
}

/** A rule as it was when the fire was accepted. `action` is `ns[/pkg]/name` as linked. */
export type FiredRule = {
  readonly rule: string
  readonly action: string
  readonly decision: 'run' | 'inactive' | 'filtered'
  /** Why a filter could not be decided, or cannot be used at all (events.md §3.1, §3.2). */
  readonly error?: string
  /** The rule's own annotations `input` and `transform` (a JSONata expression); they win over the fire's `input`. */
  readonly input?: 'event' | 'data' | 'legacy+ce'
  readonly transform?: string
}

const separator = '\u241f'

/** First 32 hex digits of sha256(namespace ␟ addressee ␟ source ␟ id) (design.md §2). */
export function fireIdOf(namespace: string, addressee: string, source: string, id: string): string {
  return hex32([namespace, addressee, source, id])
}

/** First 32 hex digits of sha256(fireId ␟ rule name ␟ round): the activation id of a rule's run. */
export function childIdOf(fireId: string, rule: string, round: number): string {
  return hex32([fireId, rule, String(round)])
}

function hex32(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join(separator)).digest('hex').slice(0, 32)
}
