import { timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import {
  ApiError,
  bounds,
  isActionKey,
  messages,
  parseNamespaceLimits,
  type Identity,
  type SubjectDocument,
} from '../model/index.ts'
import type { ArtifactStore, Clock, KeyRing } from '../spi/index.ts'
import { limitsId } from './identities.ts'

/** HTTP Basic with `uuid:key` (rest-api.md §2.1). */
export interface Authenticator {
  /** At once when the header was seen lately. Throws or rejects with 401, or with the store's error. */
  authenticate(authorization: string | undefined): Identity | Promise<Identity>
  close(): void
}

type Cached = { readonly identity: Identity; readonly subjectId: string; readonly goodUntilMs: number }

const keyLength = 64
/** Stands in for the hash of an unknown uuid, so that it takes as long as a wrong key. */
const nobodysKey = 'x'.repeat(keyLength)

export function createAuthenticator(deps: { artifacts: ArtifactStore; keyRing: KeyRing; clock: Clock }): Authenticator {
  const { artifacts, keyRing, clock } = deps
  // Keyed by the whole header: a warm request hashes nothing. Only headers that proved right are in it.
  const cache = new LRUCache<string, Cached>({ max: bounds.api.identityCacheMax })
  const nobodysHash = keyRing.hash(nobodysKey)
  /** Counts invalidations: what was read before one must not be kept after it. */
  let generation = 0

  const stopWatching = artifacts.watch(({ id, kind }) => {
    if (kind !== 'subject' && kind !== 'limits') return
    generation++
    for (const [header, entry] of cache.entries()) {
      if (entry.subjectId === id || limitsId(entry.identity.namespace.name) === id) cache.delete(header)
    }
  })

  async function lookUp(header: string): Promise<Identity> {
    const { uuid, key } = parseBasic(header)
    const startedIn = generation
    const stored = await artifacts.identityByUuid(uuid)
    const subject = stored?.document as SubjectDocument | undefined
    const entry = subject?.namespaces.find(candidate => candidate.uuid === uuid)
    const nowMs = clock.nowMs()
    const actionKey = isActionKey(uuid, key, nowMs, text => keyRing.hash(text), sameText)
    const proved =
      entry?.key === undefined ? keyRing.matches(key, entry?.keyHash ?? nobodysHash) : sameText(key, entry.key)
    if (stored === undefined || subject === undefined || entry === undefined || subject.blocked) throw invalid()
    if (!proved && !actionKey) throw invalid()
    const limits = await artifacts.get(limitsId(entry.name))
    const identity: Identity = {
      subject: subject.subject,
      namespace: { name: entry.name, uuid },
      limits: parseNamespaceLimits(limits?.document),
    }
    const ttlMs = proved ? bounds.api.identityCacheTtlMs : bounds.api.actionKeyCacheTtlMs
    if (startedIn === generation) {
      cache.set(header, { identity, subjectId: stored.id, goodUntilMs: clock.monotonicMs() + ttlMs })
    }
    return identity
  }

  return {
    authenticate(authorization) {
      if (authorization === undefined) throw absent()
      const entry = cache.get(authorization)
      if (entry !== undefined && entry.goodUntilMs > clock.monotonicMs()) return entry.identity
      return lookUp(authorization)
    },
    close: stopWatching,
  }
}

/** Throws 401: `absent` for what is no Basic credential, `invalid` for one that cannot be right. */
function parseBasic(header: string): { uuid: string; key: string } {
  const match = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header)
  if (match?.[1] === undefined) throw absent()
  const text = Buffer.from(match[1], 'base64').toString('utf8')
  const colon = text.indexOf(':')
  const key = text.slice(colon + 1)
  if (colon < 1 || key.length !== keyLength) throw invalid()
  return { uuid: text.slice(0, colon), key }
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

function absent(): ApiError {
  return new ApiError(401, messages.unauthenticated, { rejection: true })
}

function invalid(): ApiError {
  return new ApiError(401, messages.authInvalid, { rejection: true })
}
