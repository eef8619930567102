import { bounds, statusNames, type ActivationRecord } from '../model/index.ts'
import type { ActivationStore, Clock, RecordTail, StateStore } from '../spi/index.ts'
import type { DeadLetterService, KnownFires, Settlement, SettlementService } from './services.ts'

/**
 * Tells what became of a fire (design.md §3.6). It is derived from what is durable anyway: the trigger's record names the
 * runs, and each run is settled by its own record; there is no counter that could disagree with them.
 */
export type SettlementDependencies = {
  readonly activations: ActivationStore
  readonly fires?: KnownFires
  readonly tail: RecordTail
  readonly clock: Clock
}

export function createSettlementService(deps: SettlementDependencies): SettlementService {
  const { activations, clock, fires, tail } = deps

  async function look(namespace: string, fireId: string): Promise<Settlement | undefined> {
    const found = await fromRecord(namespace, fireId)
    if (found || !(await fires?.known(namespace, fireId))) return found ?? fromRecord(namespace, fireId)
    return notFannedOut
  }

  async function fromRecord(namespace: string, fireId: string): Promise<Settlement | undefined> {
    const record = await activations.get(namespace, fireId)
    if (!record?.sluice?.runs) return undefined
    const wanted = record.sluice.runs.flatMap(({ rule, activationId }) =>
      activationId === undefined ? [] : [{ rule, activationId }],
    )
    const found = await Promise.all(wanted.map(({ activationId }) => activations.get(namespace, activationId)))
    const runs = wanted.map((run, index) => ({ ...run, status: statusOf(found[index]) }))
    const deadLetters = wanted.filter((_, index) => found[index]?.sluice?.deadLettered)
    return { settled: found.every(run => run !== undefined), runs, deadLetters }
  }

  async function get(namespace: string, fireId: string, waitMs: number): Promise<Settlement | undefined> {
    const first = await look(namespace, fireId)
    // There is nothing to wait for when nobody ever accepted such a fire.
    if (!first || first.settled || waitMs <= 0) return first
    return untilTold(fireId, Math.min(waitMs, bounds.api.settlementWaitMsMax), () => look(namespace, fireId))
  }

  /** Looks again whenever a record of this fire becomes durable, until it is settled or the time is up. */
  function untilTold(
    fireId: string,
    waitMs: number,
    again: () => Promise<Settlement | undefined>,
  ): Promise<Settlement | undefined> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        timer.cancel()
        stop()
        again().then(resolve, reject)
      }
      const check = (): void => {
        again().then(settlement => (settlement?.settled ? finish() : undefined), reject)
      }
      const timer = clock.setTimer(waitMs, finish)
      const stop = tail.listen(record => {
        if (record.sluice?.fireId === fireId) check()
      })
      // A record may have come between the first look and the listening.
      check()
    })
  }

  return {
    get,
    async getMany(namespace, fireIds, waitMs) {
      const all = await Promise.all(
        fireIds.map(async fireId => [fireId, await get(namespace, fireId, waitMs)] as const),
      )
      return Object.fromEntries(all.flatMap(([fireId, settlement]) => (settlement ? [[fireId, settlement]] : [])))
    },
  }
}

/** Accepted; what its rules will run is not decided yet. */
const notFannedOut: Settlement = { settled: false, runs: [], deadLetters: [] }

function statusOf(record: ActivationRecord | undefined): string {
  return record ? statusNames[record.response.statusCode] : 'pending'
}

/** Reads and deletes the dead letters that invokers write; keys are theirs (`deadletters/<namespace>/<id>`). */
export function createDeadLetterService(state: StateStore): DeadLetterService {
  const keyOf = (namespace: string, id: string): string => `deadletters/${namespace}/${id}`
  return {
    async list(namespace, { skip, limit }) {
      const found: { atMs: number }[] = []
      let after: string | undefined
      for (;;) {
        const page = await state.scan({
          prefix: keyOf(namespace, ''),
          limit: bounds.store.scanMax,
          ...(after === undefined ? {} : { after }),
        })
        found.push(...page.map(({ value }) => withoutMessage(value)))
        after = page.at(-1)?.key
        if (page.length < bounds.store.scanMax || found.length >= bounds.fire.deadLettersPerRuleMax) break
      }
      return found.sort((a, b) => b.atMs - a.atMs).slice(skip, skip + limit)
    },
    async get(namespace, id) {
      return (await state.get(keyOf(namespace, id)))?.value
    },
    async delete(namespace, id) {
      const entry = await state.get(keyOf(namespace, id))
      if (entry) await state.delete(entry.key)
      return entry?.value
    },
  }
}

function withoutMessage(value: unknown): { atMs: number } {
  const { message: _, fire: __, ...rest } = value as { atMs: number; message?: unknown; fire?: unknown }
  return rest
}
