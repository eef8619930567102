import { parseJson, SluiceError, stringifyJson } from '../../model/index.ts'

/** Documents as JSON text, so that nobody can change what is stored from outside; revisions never come twice. */
export class Documents<T> {
  readonly #documents = new Map<string, { revision: string; text: string }>()
  readonly #watchers = new Set<(key: string, before: T | undefined, after: T | undefined) => void>()
  #revisions = 0

  get(key: string): { revision: string; value: T } | undefined {
    const found = this.#documents.get(key)
    return found && { revision: found.revision, value: parseJson(found.text) as T }
  }

  keys(): string[] {
    return [...this.#documents.keys()]
  }

  put(key: string, value: T, revision?: string): string {
    const before = this.get(key)
    if (revision !== 'any' && revision !== before?.revision) throw conflict()
    const next = String(++this.#revisions)
    this.#documents.set(key, { revision: next, text: stringifyJson(value) })
    this.#tell(key, before?.value, value)
    return next
  }

  /** Whether there was one. */
  delete(key: string, revision = 'any'): boolean {
    const before = this.get(key)
    if (!before) return false
    if (revision !== 'any' && revision !== before.revision) throw conflict()
    this.#documents.delete(key)
    this.#tell(key, before.value, undefined)
    return true
  }

  watch(fn: (key: string, before: T | undefined, after: T | undefined) => void): () => void {
    const own: typeof fn = (key, before, after) => fn(key, before, after)
    this.#watchers.add(own)
    return () => void this.#watchers.delete(own)
  }

  #tell(key: string, before: T | undefined, after: T | undefined): void {
    for (const watcher of this.#watchers) watcher(key, before, after)
  }
}

function conflict(): SluiceError {
  return new SluiceError('SLUICE_CONFLICT', 'The document was changed by somebody else since it was read.')
}
