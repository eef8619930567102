/** Topic names of the bus (platform.md §3.1, design.md §4). */
export const topics = {
  fires: 'fires',
  records: 'records',
  quarantine: 'quarantine',
  invoker: (instance: number) => `invoker${instance}`,
  claims: (instance: number) => `claims${instance}`,
} as const
