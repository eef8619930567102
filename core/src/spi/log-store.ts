import type { ActivationRecord } from '../model/index.ts'

/** Where an activation's log lines are read from; the record itself in this implementation (platform.md §12). */
export interface LogStore {
  fetch(record: ActivationRecord): Promise<readonly string[]>
}
