import { bounds, statusNames, type ActivationMessage, type ActivationRecord, type FireRecord } from '@sluice/core/model'
import type { HubEvent, HubEventFeed } from './running.ts'

/** Turns what the parts observe into the lines that people see. */
export type HubEvents = HubEventFeed & {
  fired(fire: FireRecord): void
  settled(record: ActivationRecord, message: ActivationMessage): void
}

export function createHubEvents(): HubEvents {
  const listeners = new Set<(event: HubEvent) => void>()
  /** Where recent fires came from; a run whose fire is older than these shows its trigger's name only. */
  const origins = new Map<string, { source: string; trigger: string }>()

  return {
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    fired(fire) {
      if (listeners.size === 0) return
      origins.set(fire.fireId, { source: sourceOf(fire), trigger: fire.trigger.name })
      const oldest = origins.size > bounds.hub.eventOriginsMax ? origins.keys().next().value : undefined
      if (oldest !== undefined) origins.delete(oldest)
    },
    settled(record, message) {
      if (listeners.size === 0) return
      const { origin } = message
      const from = origin.kind === 'rule' ? origins.get(origin.fireId) : undefined
      const event: HubEvent = {
        atMs: message.acceptedAtMs,
        source: origin.kind === 'rule' ? (from?.source ?? 'event') : 'api',
        ...(from === undefined ? {} : { trigger: from.trigger }),
        ...(origin.kind === 'rule' ? { rule: origin.rule.slice(origin.rule.indexOf('/') + 1) } : {}),
        action: record.name,
        durationMs: record.duration ?? 0,
        status: statusNames[record.response.statusCode],
        activationId: record.activationId,
      }
      for (const listener of listeners) listener(event)
    },
  }
}

/** `alarms` for the alarms provider, `webhook` for plain fires, else the event's own source. */
function sourceOf(fire: FireRecord): string {
  const { source, type } = fire.event
  if (type === 'io.sluice.trigger.fired') return 'webhook'
  const text = String(source)
  return /^urn:sluice:([a-z-]+):/.exec(text)?.[1] ?? text
}
