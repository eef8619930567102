import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { EmbeddedStats } from '@sluice/core/backend/embedded'
import { bounds, statusNames, type FireRecord } from '@sluice/core/model'
import type { Invoker, InvokerObserver } from '@sluice/core/invoker'

/** The hub's own figures for Prometheus. Books (reliability.md P10): accepted = settled + in flight, for fires' runs. */
export type HubMetrics = {
  readonly registry: Registry
  readonly observer: Required<Pick<InvokerObserver, 'started' | 'settled' | 'redelivered'>>
  accepted(fire: FireRecord): void
  /** An event that was sent to a namespace and that no trigger accepts. */
  unrouted(): void
  /** Triggers whose filter failed with an event of their namespace, or cannot be used. */
  undecided(triggers: number): void
  fannedOut(counts: { refused: number; failed: number; deadLettered: number; untransformed: number }): void
  /** A message of the topic that could not be worked off was set aside. */
  quarantined(topic: string): void
  /** What the hub's own maintenance has deleted. */
  pruned(counts: { deadLetters: number; identities: number }): void
  watch(parts: WatchedParts): void
}

export type WatchedParts = {
  readonly invoker: Pick<Invoker, 'stats'>
  readonly store: () => EmbeddedStats
  readonly firesWaiting: () => Promise<number>
  readonly ruleRunsWaiting: () => number
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
  const decided = new Counter({
    name: 'sluice_filter_decisions_total',
    help: 'Rules of triggers with filters, by what the filter said of an event; error: it failed or cannot be used.',
    labelNames: ['decision'],
    registers,
  })
  const failures = new Counter({
    name: 'sluice_filter_errors_total',
    help: 'Events that a rule was not decided for: its filter failed, or an annotation cannot be used. Rules beyond a number are one: other.',
    labelNames: ['rule'],
    registers,
  })
  const unrouted = new Counter({
    name: 'sluice_events_unrouted_total',
    help: 'Events sent to a namespace that no trigger accepts.',
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
  const deadLetters = new Counter({
    name: 'sluice_dead_letters_total',
    help: 'Runs of rules whose attempts were used up.',
    registers,
  })
  const prunedDeadLetters = new Counter({
    name: 'sluice_dead_letters_pruned_total',
    help: 'Dead letters deleted for age or number.',
    registers,
  })
  const evicted = new Counter({
    name: 'sluice_event_identities_evicted_total',
    help: 'Identities of events and requests that were forgotten for age or number.',
    registers,
  })
  const quarantined = new Counter({
    name: 'sluice_messages_undecodable_total',
    help: 'Messages set aside because they could not be worked off.',
    labelNames: ['topic'],
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
  const decisionBy = {
    matched: decided.labels('matched'),
    filtered: decided.labels('filtered'),
    error: decided.labels('error'),
  }
  /** Tenants name rules as they like, and a label for each would be memory for each. */
  const failingRules = new Set<string>()
  function failed(rule: string): void {
    decisionBy.error.inc()
    if (failingRules.size < bounds.hub.failingRulesMax) failingRules.add(rule)
    failures.labels(failingRules.has(rule) ? rule : 'other').inc()
  }
  return {
    registry,
    observer: {
      started: kind => startBy[kind].inc(),
      settled(record, message) {
        settledBy[message.origin.kind === 'rule' ? 1 : 0]?.[record.response.statusCode]?.inc()
        if (record.sluice?.deadLettered) deadLetters.inc()
        wait.observe(Math.max(0, record.start - message.acceptedAtMs) / 1000)
      },
      redelivered: () => redelivered.inc(),
    },
    accepted({ rules, hasFilters }) {
      fires.inc()
      const runs = rules.filter(({ decision }) => decision === 'run').length
      expected.inc(runs)
      if (hasFilters) decisionBy.matched.inc(runs)
      for (const { rule, decision, error } of rules)
        if (error !== undefined) failed(rule)
        else if (decision === 'filtered') decisionBy.filtered.inc()
    },
    unrouted: () => unrouted.inc(),
    undecided: triggers => decisionBy.error.inc(triggers),
    fannedOut({ refused: refusals, failed, deadLettered, untransformed }) {
      refused.inc(refusals)
      // They have their record without having met an invoker.
      settledBy[1]?.[2]?.inc(untransformed)
      settledBy[1]?.[3]?.inc(failed - untransformed)
      deadLetters.inc(deadLettered)
    },
    quarantined: topic => quarantined.labels(topic).inc(),
    pruned(counts) {
      prunedDeadLetters.inc(counts.deadLetters)
      evicted.inc(counts.identities)
    },
    watch({ invoker, store, firesWaiting, ruleRunsWaiting }) {
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
      gauge('sluice_fires_waiting', 'Fires accepted and not fanned out.', firesWaiting)
      gauge('sluice_rule_runs_waiting', 'Runs of rules accepted and not settled.', ruleRunsWaiting)
      gauge('sluice_store_record_bytes', 'Size of all activation records.', () => store().activationBytes)
      /** Counted elsewhere since this process began. */
      const count = (name: string, help: string, value: () => number): void => {
        new Counter({
          name,
          help,
          registers,
          collect() {
            this.reset()
            this.inc(value())
          },
        })
      }
      const byTopic = (name: string, help: string, value: 'pruned' | 'quarantined'): void => {
        new Counter({
          name,
          help,
          labelNames: ['topic'],
          registers,
          collect() {
            this.reset()
            for (const [topic, counts] of store().messages) this.labels(topic).inc(counts[value])
          },
        })
      }
      count('sluice_store_commits_total', 'Synced batches.', () => store().commits)
      count('sluice_store_operations_total', 'Writes in synced batches.', () => store().operations)
      count('sluice_store_corruptions_total', 'Reads that met a damaged value.', () => store().corruptions)
      count('sluice_records_pruned_total', 'Activation records deleted for age or size.', () => store().prunedRecords)
      count('sluice_maintenance_failures_total', 'Prunings that failed.', () => store().maintenanceFailures)
      byTopic(
        'sluice_messages_pruned_total',
        'Messages deleted when done or too old; fires are those of `fires`.',
        'pruned',
      )
      byTopic('sluice_messages_quarantined_total', 'Damaged messages set aside.', 'quarantined')
    },
  }
}
