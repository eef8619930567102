/** One parameter, as it is documented, checked for near misses, encrypted and masked. */
export type FeedParameter = {
  readonly name: string
  readonly type: 'string' | 'number' | 'boolean' | 'object' | 'array' | 'any'
  readonly description: string
  readonly required?: boolean
  readonly updatable?: boolean
  /** Encrypted at rest, `********` in READ, that literal ignored in UPDATE. */
  readonly secret?: boolean
  readonly default?: unknown
}

export type Parameters = Readonly<Record<string, unknown>>
