import { describe, expect, it } from 'vitest'
import { bounds, type ActivationMessage, type ActivationRecord, type FireRecord } from '@sluice/core/model'
import { createHubMetrics } from './metrics.ts'

describe('the figures of the hub', () => {
  it('count what filters said of events, and an annotation that cannot be used as an error', async () => {
    const metrics = createHubMetrics()
    const rules = [
      { rule: 'guest/a', decision: 'run' },
      { rule: 'guest/b', decision: 'filtered' },
      { rule: 'guest/c', decision: 'filtered', error: 'missingAttribute' },
    ]
    metrics.accepted({ rules, hasFilters: true } as unknown as FireRecord)
    metrics.accepted({
      rules: [{ rule: 'guest/d', decision: 'inactive', error: 'malformed' }],
    } as unknown as FireRecord)
    metrics.accepted({ rules: [{ decision: 'run' }] } as unknown as FireRecord)
    metrics.undecided(2)
    const lines = (await metrics.registry.metrics()).split('\n')
    expect(lines.filter(line => line.startsWith('sluice_filter_decisions_total{'))).toEqual([
      'sluice_filter_decisions_total{decision="matched"} 1',
      'sluice_filter_decisions_total{decision="filtered"} 1',
      'sluice_filter_decisions_total{decision="error"} 4',
    ])
    expect(lines.filter(line => line.startsWith('sluice_filter_errors_total{'))).toEqual([
      'sluice_filter_errors_total{rule="guest/c"} 1',
      'sluice_filter_errors_total{rule="guest/d"} 1',
    ])
  })

  it('name each rule whose filter fails, up to a number of rules', async () => {
    const metrics = createHubMetrics()
    const most = bounds.hub.failingRulesMax
    for (const rule of [...Array.from({ length: most + 2 }, (_, at) => `guest/r${at}`), 'guest/r0'])
      metrics.accepted({ rules: [{ rule, decision: 'filtered', error: 'cast' }] } as unknown as FireRecord)
    const lines = (await metrics.registry.metrics()).split('\n')
    const counts = lines.filter(line => line.startsWith('sluice_filter_errors_total{'))
    expect(counts).toHaveLength(most + 1)
    expect(counts).toContain('sluice_filter_errors_total{rule="guest/r0"} 2')
    expect(counts).toContain('sluice_filter_errors_total{rule="other"} 2')
  })

  it('tell of everything that was deleted, set aside, given up, and of the commits', async () => {
    const metrics = createHubMetrics()
    metrics.watch({
      invoker: {
        stats: () => ({
          memoryMb: 0,
          containers: 0,
          busy: 0,
          idle: 0,
          prewarmed: 0,
          suspended: 0,
          queued: 0,
          running: 0,
        }),
      },
      store: () => ({
        commits: 11,
        operations: 22,
        corruptions: 1,
        prunedRecords: 33,
        maintenanceFailures: 2,
        activationBytes: 44,
        messages: new Map([
          ['fires', { pruned: 5, quarantined: 1 }],
          ['invoker0', { pruned: 6, quarantined: 0 }],
        ]),
      }),
      firesWaiting: async () => 7,
      ruleRunsWaiting: () => 8,
    })
    metrics.pruned({ deadLetters: 3, identities: 4 })
    metrics.quarantined('fires')
    metrics.fannedOut({ refused: 0, failed: 2, deadLettered: 2, untransformed: 0 })
    const record = { start: 1, response: { statusCode: 3 }, sluice: { deadLettered: true } }
    const message = { acceptedAtMs: 0, origin: { kind: 'rule' } }
    metrics.observer.settled(record as unknown as ActivationRecord, message as unknown as ActivationMessage)
    const text = await metrics.registry.metrics()
    expect(
      text
        .split('\n')
        .filter(line => /^sluice_(dead|event|messages|records|store|maint|fires_w|rule_runs_w)/.test(line)),
    ).toEqual(
      expect.arrayContaining([
        'sluice_store_commits_total 11',
        'sluice_store_operations_total 22',
        'sluice_store_corruptions_total 1',
        'sluice_store_record_bytes 44',
        'sluice_records_pruned_total 33',
        'sluice_maintenance_failures_total 2',
        'sluice_messages_pruned_total{topic="fires"} 5',
        'sluice_messages_pruned_total{topic="invoker0"} 6',
        'sluice_messages_quarantined_total{topic="fires"} 1',
        'sluice_messages_undecodable_total{topic="fires"} 1',
        'sluice_dead_letters_total 3',
        'sluice_dead_letters_pruned_total 3',
        'sluice_event_identities_evicted_total 4',
        'sluice_fires_waiting 7',
        'sluice_rule_runs_waiting 8',
      ]),
    )
    // Read again, what is counted elsewhere is not added up.
    expect(await metrics.registry.metrics()).toContain('sluice_store_commits_total 11\n')
  })
})
