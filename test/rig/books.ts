import type { Api } from './api.ts'

/** The hub's own account of what its rules were to run, from `/metrics` (reliability.md P10, R21). */
export type Books = {
  readonly firesAccepted: number
  readonly runsAccepted: number
  readonly runsRefused: number
  readonly runsSettled: number
  /** Fires that are not fanned out yet and runs without a record. */
  readonly inFlight: number
}

export async function readBooks(api: Api): Promise<Books> {
  const sum = await readSums(api)
  return {
    firesAccepted: sum('sluice_fires_accepted_total'),
    runsAccepted: sum('sluice_rule_runs_accepted_total'),
    runsRefused: sum('sluice_rule_runs_refused_total'),
    runsSettled: sum('sluice_activations_settled_total', 'origin="rule"'),
    inFlight: sum('sluice_fires_waiting') + sum('sluice_activations_running'),
  }
}

/** What the hub still works on, and what its bound on the backlog counts. No counters: they begin anew at each start. */
export async function readOpen(api: Api): Promise<{ inFlight: number; backlog: number }> {
  const sum = await readSums(api)
  return {
    inFlight: sum('sluice_fires_waiting') + sum('sluice_activations_running'),
    backlog: sum('sluice_rule_runs_waiting'),
  }
}

/** The sum over all lines of a metric whose labels hold a text. */
async function readSums(api: Api): Promise<(name: string, label?: string) => number> {
  const { text } = await api.call('GET', '/metrics', { auth: null })
  return (name, label = '') => {
    const lines = text.split('\n').filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    if (lines.length === 0) throw new Error(`The hub has no metric ${name}.`)
    return lines.filter(line => line.includes(label)).reduce((total, line) => total + Number(line.split(' ').at(-1)), 0)
  }
}
