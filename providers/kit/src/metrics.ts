import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { AttemptReport } from './firer.ts'

/** The counters of feeds.md M1 that this kit fills; the label is the namespace, never the trigger. */
export function createProviderMetrics(provider: string) {
  const registry = new Registry()
  registry.setDefaultLabels({ provider })
  const counter = (name: string, help: string, labelNames: string[] = ['namespace']) =>
    new Counter({ name: `sluice_${name}_total`, help, labelNames, registers: [registry] })

  const received = counter('events_received', 'Events that a source handed over')
  const fired = counter('events_fired', 'Events that a trigger took', ['namespace', 'code'])
  const firedNoRule = counter('events_fired_no_rule', 'Of those: no active rule was there (204)')
  const retried = counter('events_retried', 'Attempts after the first')
  const deadLettered = counter('events_deadlettered', 'Events that ended as dead letters', ['namespace', 'reason'])
  const authFailures = counter('auth_failures', 'Lifecycle calls without a valid signature or authority', ['kind'])
  const disabled = counter('subscriptions_disabled', 'Subscriptions that were disabled automatically')
  const fireSeconds = new Histogram({
    name: 'sluice_fire_seconds',
    help: 'From sending a fire to its answer',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  })
  const scheduleDelaySeconds = new Histogram({
    name: 'sluice_schedule_delay_seconds',
    help: 'From the moment an event was due to its first request being written',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5, 20],
    registers: [registry],
  })
  const missedDropped = counter('missed_dropped', 'Missed events that were not made up')
  let look = () => ({ owned: 0, inFlight: 0 })
  new Gauge({
    name: 'sluice_owned',
    help: 'Active subscriptions of this process',
    registers: [registry],
    collect() {
      this.set(look().owned)
    },
  })
  new Gauge({
    name: 'sluice_inflight',
    help: 'Fires under way',
    registers: [registry],
    collect() {
      this.set(look().inFlight)
    },
  })

  return {
    registry,
    received: (namespace: string) => received.inc({ namespace }),
    deadLettered: (namespace: string, reason: string) => deadLettered.inc({ namespace, reason }),
    authFailure: (kind: 'signature' | 'authority' | 'rate') => authFailures.inc({ kind }),
    disabled: (namespace: string) => disabled.inc({ namespace }),
    attempted(namespace: string, report: AttemptReport, dueMs: number | undefined) {
      if (report.attempt === 1 && dueMs !== undefined) {
        scheduleDelaySeconds.observe(Math.max(0, report.sentAtMs - dueMs) / 1000)
      }
      fireSeconds.observe(report.durationMs / 1000)
      if (report.attempt > 1) retried.inc({ namespace })
      if (report.class === 'success') fired.inc({ namespace, code: report.status })
      if (report.status === 204) firedNoRule.inc({ namespace })
    },
    dropped: (namespace: string, count: number) => missedDropped.inc({ namespace }, count),
    /** Where the gauges look when they are asked. */
    watch(from: () => { owned: number; inFlight: number }) {
      look = from
    },
  }
}

export type ProviderMetrics = ReturnType<typeof createProviderMetrics>
