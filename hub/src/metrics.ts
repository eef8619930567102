import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { statusNames, type FireRecord } from '@sluice/core/model'
import type { Invoker, InvokerObserver } from '@sluice/core/invoker'

/** The hub's own figures for Prometheus. Books (reliability.md P10): accepted = settled + in flight, for fires' runs. */
export type HubMetrics = {
  readonly registry: Registry
  readonly observer: Required<InvokerObserver>
  accepted(fire: FireRecord): void
  fannedOut(counts: { refused: number; failed: number }): void
  watch(invoker: Invoker, fanOutDepth: () => Promise<number>): void
}

export function createHubMetrics(): HubMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'sluice_' })
  const registers = [registry]
  const fires = new Counter({ name: 'sluice_fires_accepted_total', help: 'Fires with a durable record.', registers })
  const expected = new Counter({
    name: 'sluice_rule_runs_accepted_total',
    help: 'Runs that accepted fires must have.',
    registers,
  })
  const refused = new Counter({
    name: 'sluice_rule_runs_refused_total',
    help: 'Runs settled by a refusal line.',
    registers,
  })
  const settled = new Counter({
    name: 'sluice_activations_settled_total',
    help: 'Terminal records written.',
    labelNames: ['origin', 'status'],
    registers,
  })
  const starts = new Counter({
    name: 'sluice_container_starts_total',
    help: 'Runs by the container they got.',
    labelNames: ['kind'],
    registers,
  })
  const redelivered = new Counter({
    name: 'sluice_messages_redelivered_total',
    help: 'Messages that may have been handed out before.',
    registers,
  })
  const wait = new Histogram({
    name: 'sluice_activation_wait_seconds',
    help: 'Acceptance to start.',
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 60],
    registers,
  })
  // Labels are looked up once: this is on the path of every run.
  const settledBy = (['direct', 'rule'] as const).map(origin =>
    statusNames.map(status => settled.labels(origin, status.replaceAll(' ', '_'))),
  )
  const startBy = { warm: starts.labels('warm'), prewarmed: starts.labels('prewarmed'), cold: starts.labels('cold') }
  return {
    registry,
    observer: {
      started: kind => startBy[kind].inc(),
      settled(record, message) {
        settledBy[message.origin.kind === 'rule' ? 1 : 0]?.[record.response.statusCode]?.inc()
        wait.observe(Math.max(0, record.start - message.acceptedAtMs) / 1000)
      },
      redelivered: () => redelivered.inc(),
    },
    accepted(fire) {
      fires.inc()
      expected.inc(fire.rules.filter(({ decision }) => decision === 'run').length)
    },
    fannedOut({ refused: refusals, failed }) {
      refused.inc(refusals)
      // They have their record without having met an invoker.
      settledBy[1]?.[3]?.inc(failed)
    },
    watch(invoker, fanOutDepth) {
      const gauge = (name: string, help: string, value: () => number | Promise<number>): void => {
        new Gauge({
          name,
          help,
          registers,
          async collect() {
            this.set(await value())
          },
        })
      }
      gauge('sluice_pool_memory_megabytes', 'Memory held by action containers.', () => invoker.stats().memoryMb)
      gauge('sluice_pool_containers', 'Action containers.', () => invoker.stats().containers)
      gauge('sluice_pool_busy', 'Action containers with a run in them.', () => invoker.stats().busy)
      gauge('sluice_pool_queued', 'Runs waiting for a container.', () => invoker.stats().queued)
      gauge(
        'sluice_activations_running',
        'Activations accepted by the invoker and not settled.',
        () => invoker.stats().running,
      )
      gauge('sluice_fires_waiting', 'Fires accepted and not fanned out.', fanOutDepth)
    },
  }
}
