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
  const subscriptions = new Gauge({
    name: 'sluice_subscriptions',
    help: 'Subscriptions by state',
    labelNames: ['state'],
    registers: [registry],
  })
  const inflight = new Gauge({ name: 'sluice_inflight', help: 'Fires under way', registers: [registry] })

  return {
    registry,
    received: (namespace: string) => received.inc({ namespace }),
    deadLettered: (namespace: string, reason: string) => deadLettered.inc({ namespace, reason }),
    authFailure: (kind: 'signature' | 'authority' | 'rate') => authFailures.inc({ kind }),
    disabled: (namespace: string) => disabled.inc({ namespace }),
    attempted(namespace: string, report: AttemptReport) {
      fireSeconds.observe(report.durationMs / 1000)
      if (report.attempt > 1) retried.inc({ namespace })
      if (report.class === 'success') fired.inc({ namespace, code: report.status })
      if (report.status === 204) firedNoRule.inc({ namespace })
    },
    gauge(values: { active: number; inactive: number; inFlight: number }) {
      subscriptions.set({ state: 'active' }, values.active)
      subscriptions.set({ state: 'inactive' }, values.inactive)
      inflight.set(values.inFlight)
    },
  }
}

export type ProviderMetrics = ReturnType<typeof createProviderMetrics>
