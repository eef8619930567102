import { Counter, Gauge, type Registry } from 'prom-client'

/** Counts answers by method and status. Numbers are kept in plain maps and handed over when they are asked for: a labelled
 *  metric for each request would cost more than the request's own work. */
export function requestMetrics(registry: Registry | undefined): (method: string, status: number, ms: number) => void {
  const counts = new Map<string, { method: string; status: string; count: number; ms: number }>()
  if (registry !== undefined) register(registry, counts)
  return (method, status, ms) => {
    const key = method + status
    const entry = counts.get(key)
    if (entry === undefined) {
      if (counts.size < seriesMax) counts.set(key, { method, status: String(status), count: 1, ms })
      return
    }
    entry.count++
    entry.ms += ms
  }
}

const seriesMax = 1000

type Counts = ReadonlyMap<string, { method: string; status: string; count: number; ms: number }>

function register(registry: Registry, counts: Counts): void {
  new Counter({
    name: 'sluice_http_requests_total',
    help: 'Requests answered, by method and status.',
    labelNames: ['method', 'status'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { method, status, count } of counts.values()) this.inc({ method, status }, count)
    },
  })
  new Gauge({
    name: 'sluice_http_request_seconds_sum',
    help: 'Seconds from request to answer, added up, by method and status.',
    labelNames: ['method', 'status'],
    registers: [registry],
    collect() {
      for (const { method, status, ms } of counts.values()) this.set({ method, status }, ms / 1000)
    },
  })
}
