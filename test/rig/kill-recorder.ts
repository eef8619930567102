import { createHash } from 'node:crypto'

/**
 * What the load asked for and what came of it (reliability.md §7.1): accepted, refused, or unknown, when a kill cut the
 * answer off. Each operation has an id of its own, by which its record can be found when there was no answer.
 */
export type Outcome = 'accepted' | 'refused' | 'unknown'

/** `activationId` and the HTTP `status`: where there was an answer. */
export type Invoke = { outcome: Outcome; activationId?: string; status?: number }

export type Recorder = {
  /** Outcome of each fire by its fire id: known before it is sent, for it follows from the event. */
  readonly fires: Map<string, { eventId: string; outcome: Outcome }>
  /** Outcome of each direct invoke by the load's own number of it. */
  readonly invokes: Map<string, Invoke>
  /** Answers that contradict what is promised of them. */
  readonly wrong: string[]
}

export function createRecorder(): Recorder {
  return { fires: new Map(), invokes: new Map(), wrong: [] }
}

/** Below 500 the hub has decided; beyond, and without any answer, it may have accepted. */
export function outcomeOf(status: number): Outcome {
  return status >= 200 && status < 300 ? 'accepted' : status < 500 ? 'refused' : 'unknown'
}

/** As design.md §2 says, apart from the hub's own code for it. */
export function fireIdOf(namespace: string, trigger: string, source: string, id: string): string {
  return digest(namespace, trigger, source, id)
}

/** The id of a rule's run in its first round. */
export function runIdOf(fireId: string, rule: string): string {
  return digest(fireId, rule, '0')
}

function digest(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\u241f')).digest('hex').slice(0, 32)
}
