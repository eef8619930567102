import type { AlarmConfig } from './config.ts'
import type { Due } from './engine/ledger.ts'

/** A due instant as the attributes and data of its CloudEvent (feeds.md §4.3); the kit adds what is common to all. */
export type AlarmEvent = {
  readonly type: `io.sluice.alarms.${AlarmConfig['variant']}`
  readonly source: string
  readonly subject: string
  readonly id: string
  readonly time: string
  readonly sequence: string
  readonly partitionkey: string
  readonly missedcount?: number
  readonly datacontenttype: 'application/json'
  readonly data: Readonly<Record<string, unknown>>
}

export type AlarmOrigin = {
  /** Names the installation, in `source`. */
  readonly instance: string
  readonly namespace: string
  readonly trigger: string
  readonly subscriptionId: string
}

/** The same for every attempt and every replica: all of it comes from the configuration and the instant. */
export function alarmEvent(origin: AlarmOrigin, config: AlarmConfig, { dueMs, missedCount }: Due): AlarmEvent {
  const [instance, namespace, trigger] = [origin.instance, origin.namespace, origin.trigger].map(encodeURIComponent)
  return {
    type: `io.sluice.alarms.${config.variant}`,
    source: `urn:sluice:alarms:${instance}:${namespace}/${trigger}`,
    subject: subjectOf(config),
    id: `${origin.subscriptionId}.${dueMs}`,
    time: new Date(dueMs).toISOString(),
    sequence: String(dueMs / 1000).padStart(20, '0'),
    partitionkey: origin.subscriptionId,
    ...(missedCount !== undefined && { missedcount: missedCount }),
    datacontenttype: 'application/json',
    data: config.payload,
  }
}

function subjectOf(config: AlarmConfig): string {
  if (config.variant === 'cron') return config.cron.trim().replace(/\s+/g, ' ')
  return config.variant === 'interval' ? `every ${config.minutes}m` : new Date(config.date.ms).toISOString()
}
