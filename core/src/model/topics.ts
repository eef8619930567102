/** Topic names of the bus (platform.md §3.1, design.md §4). */
export const topics = {
  fires: 'fires',
  records: 'records',
  quarantine: 'quarantine',
  invoker: (instance: number) => `invoker${instance}`,
  claims: (instance: number) => `claims${instance}`,
} as const

/** Consumer groups that hold accepted work: what they have not done is the hub's backlog. */
export const groups = {
  fanOut: 'fan-out',
  invoker: (instance: number) => `invoker${instance}`,
} as const
