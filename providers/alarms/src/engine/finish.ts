import type { AlarmConfig } from '../config.ts'
import type { Ledger } from './ledger.ts'

/** What becomes of a subscription that has no instant left: switched off with a reason, or removed with its trigger. */
export type Ending =
  | { readonly action: 'disable'; readonly reason: string }
  /** `rules`: every rule of the trigger goes too. */
  | { readonly action: 'delete'; readonly rules: boolean }

export const maxTriggersReached: Ending = {
  action: 'disable',
  reason: 'Automatically disabled after reaching max triggers',
}

/** The ending of a timetable that has no instant after the ledger's (texts: feeds.md §2.1). */
export function endingOf(config: AlarmConfig, ledger: Ledger, nowMs: number): Ending {
  if (config.variant === 'once') return endingOfOnce(config.deleteAfterFire, config.date.ms, ledger)
  if (ledger.doneMs !== undefined) {
    return disable(`Automatically disabled after firing last scheduled ${config.variant} trigger`)
  }
  const stopped = config.stopDate !== undefined && config.stopDate.ms <= nowMs
  return disable(stopped ? 'the stop date has expired' : 'the next scheduled trigger fire is after the stop date')
}

/** Nothing is deleted unless the trigger was fired: what is a dead letter can still be replayed (A44). */
function endingOfOnce(
  deleteAfterFire: 'false' | 'true' | 'rules',
  dateMs: number,
  { doneMs = 0, outcome }: Ledger,
): Ending {
  if (doneMs < dateMs) return disable('the fire once date has expired')
  if (outcome === 'deadLettered') return disable('Automatically disabled: the event was dead-lettered')
  if (deleteAfterFire === 'false') return disable('Automatically disabled after firing once')
  return { action: 'delete', rules: deleteAfterFire === 'rules' }
}

function disable(reason: string): Ending {
  return { action: 'disable', reason }
}
