import { bounds } from '@sluice/core/model'
import type { Clock } from '@sluice/core/spi'
import { palette } from './palette.ts'
import type { HubEvent, HubEventFeed } from './running.ts'
import type { Screen } from './screen.ts'

/**
 * Writes a line for each event; the answer ends that. A terminal is for reading: beyond `eventLinesPerSecondMax` lines
 * the rest of the second is counted, and told in one line.
 */
export function printEvents(feed: HubEventFeed, screen: Screen, clock: Clock): () => void {
  const format = createEventFormat(screen)
  let second = 0
  let inSecond = 0
  let unshown = 0
  const tell = (): void => {
    if (unshown > 0) screen.write(`... and ${unshown} more in that second\n`)
    unshown = 0
  }
  const unsubscribe = feed.subscribe(event => {
    const now = Math.floor(clock.monotonicMs() / 1000)
    if (now !== second) {
      tell()
      second = now
      inSecond = 0
    }
    if (inSecond++ < bounds.hub.eventLinesPerSecondMax) screen.write(`${format(event)}\n`)
    else unshown++
  })
  return () => {
    unsubscribe()
    tell()
  }
}

/** `time  source → trigger → rule → action  duration  outcome  activation id`, in columns that widen as they must. */
export function createEventFormat(screen: Screen): (event: HubEvent) => string {
  const { dim, green, red, yellow } = palette(screen)
  const outcomeColour: Readonly<Record<string, (text: string) => string>> = {
    success: green,
    'application error': yellow,
    'action developer error': yellow,
  }
  let flowWidth = 40
  return event => {
    const flow = [event.source, event.trigger, event.rule, event.action]
      .filter(step => step !== undefined)
      .map(visible)
      .join(' → ')
    flowWidth = Math.min(Math.max(flowWidth, flow.length), bounds.hub.eventFlowColumnsMax)
    const colour = outcomeColour[event.status] ?? red
    const columns = [
      dim(timeOfDay(event.atMs)),
      flow.padEnd(flowWidth),
      `${Math.round(event.durationMs)} ms`.padStart(8),
      colour(event.status.padEnd(longestOutcome)),
      dim(event.activationId),
    ]
    return columns.join('  ')
  }
}

const longestOutcome = 'action developer error'.length

/** Names come from outside: no control characters reach the terminal, no name fills it. */
function visible(name: string): string {
  const clean = name.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '?')
  return clean.length <= bounds.hub.eventNameCharactersMax
    ? clean
    : `${clean.slice(0, bounds.hub.eventNameCharactersMax - 1)}…`
}

/** Local time to the millisecond. */
function timeOfDay(atMs: number): string {
  const at = new Date(atMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
}
