import {
  ApiError,
  bounds,
  isActivationId,
  isEntityName,
  isSluiceError,
  messages,
  type ActivationRecord,
} from '../../model/index.ts'
import type { ActivationQuery, ActivationStore } from '../../spi/index.ts'
import { activationView, responseView } from '../activation-views.ts'
import { ok, type Answer } from '../answers.ts'
import type { BodyReader } from '../body-reader.ts'
import { firstName, requireJson, type Call, type Route } from '../call.ts'
import { requireOwner } from '../entitlement.ts'
import { FullLists } from '../full-list.ts'
import { isObject, malformed, parseBody } from '../json-body.ts'
import { queryError, type Query } from '../query.ts'
import type { SettlementService } from '../services.ts'

/** Activations, and what became of fires (rest-api.md §6, design.md §3.6). */
export function activationRoutes(deps: {
  activations: ActivationStore
  settlement: SettlementService
  bodies: BodyReader
}): Route[] {
  const { activations, settlement, bodies } = deps
  const fullLists = new FullLists()

  async function list(call: Call): Promise<Answer> {
    requireOwner(call.identity, call.namespace, call.namespace)
    const { query } = call
    const skip = query.skip('activations')
    const limit = query.limit('activations')
    const count = query.boolean('count')
    const docs = query.boolean('docs')
    const name = nameFilter(query)
    const sinceMs = epochMs(query, 'since')
    const uptoMs = epochMs(query, 'upto')
    const where = {
      namespace: call.namespace,
      skip,
      ...(name === undefined ? {} : { name }),
      ...(sinceMs === undefined ? {} : { sinceMs }),
      ...(uptoMs === undefined ? {} : { uptoMs }),
    }
    if (count) {
      if (docs) throw new ApiError(400, "The parameter 'docs' is not permitted with 'count'.")
      return ok({ activations: await activations.count(where) })
    }
    if (docs) return fullLists.answer(call.namespace, () => readFull({ ...where, limit }), activationView)
    return ok(await activations.list({ ...where, limit }))
  }

  /** Throws 413 when the records together are too large for one answer. */
  async function readFull(query: ActivationQuery & { limit: number }): Promise<AsyncIterable<ActivationRecord>> {
    try {
      return await activations.listFull({ ...query, bytesMax: bounds.api.fullListBytesMax })
    } catch (error) {
      if (!isSluiceError(error, 'SLUICE_TOO_LARGE')) throw error
      const max = bounds.api.fullListBytesMax / 1024 / 1024
      throw new ApiError(413, `The activations are larger than ${max} MB together; ask for fewer by 'limit'.`)
    }
  }

  /** Throws 404 for a record that is missing, or that the namespace asked not to be kept. */
  async function recordOf(call: Call): Promise<ActivationRecord> {
    const id = firstName(call)
    requireOwner(call.identity, call.namespace, `${call.namespace}/${id}`)
    const record = await activations.get(call.namespace, id)
    if (record === undefined || record.sluice?.unlisted === true) throw new ApiError(404, messages.missing)
    return record
  }

  async function settlementOf(call: Call): Promise<Answer> {
    const id = firstName(call)
    requireOwner(call.identity, call.namespace, `${call.namespace}/${id}`)
    const found = await settlement.get(call.namespace, id, waitMs(call.query))
    if (found === undefined) throw new ApiError(404, messages.missing)
    return ok(found)
  }

  async function settlements(call: Call): Promise<Answer> {
    requireOwner(call.identity, call.namespace, call.namespace)
    const bytes = await bodies.read(call.request, bounds.api.parametersBytesMax)
    requireJson(call.request, bytes, false)
    const body = parseBody(bytes)
    const ids = isObject(body) ? body['ids'] : body
    if (!Array.isArray(ids) || !ids.every((id): id is string => typeof id === 'string' && isActivationId(id))) {
      throw malformed('ids must be an array of activation ids')
    }
    if (ids.length > bounds.api.settlementIdsMax) {
      throw malformed(`more ids than allowed: ${ids.length} > ${bounds.api.settlementIdsMax}`)
    }
    return ok(await settlement.getMany(call.namespace, ids, waitMs(call.query)))
  }

  return [
    { method: 'GET', collection: 'activations', shape: 'collection', handle: list },
    {
      method: 'GET',
      collection: 'activations',
      shape: 'entity-or-slash',
      handle: async call => ok(activationView(await recordOf(call))),
    },
    {
      method: 'GET',
      collection: 'activations',
      shape: { below: 'result' },
      handle: async call => ok(responseView(await recordOf(call))),
    },
    {
      method: 'GET',
      collection: 'activations',
      shape: { below: 'logs' },
      handle: async call => ok({ logs: (await recordOf(call)).logs }),
    },
    { method: 'GET', collection: 'activations', shape: { below: 'settlement' }, handle: settlementOf },
    { method: 'POST', collection: 'activations', shape: { word: 'settlements' }, handle: settlements },
  ]
}

/** `name` or `pkg/name`; blank is no filter. */
function nameFilter(query: Query): string | undefined {
  const text = query.get('name')
  if (text === undefined || text.trim() === '') return undefined
  const parts = text.split('/').filter(part => part !== '')
  if (parts.length > 0 && parts.length <= 2 && parts.every(isEntityName)) return parts.join('/')
  throw queryError('name', `Parameter may be a 'simple' name or 'package-name/simple' name: ${text}`)
}

const epochMsMax = 8_640_000_000_000_000

function epochMs(query: Query, name: 'since' | 'upto'): number | undefined {
  const text = query.get(name)
  if (text === undefined) return undefined
  const inRange = /^[-+]?\d{1,19}$/.test(text) && Math.abs(Number(text)) <= Number.MAX_SAFE_INTEGER * 1024
  if (!inRange) throw queryError(name, `Parameter is not a valid value for epoch seconds: ${text}`)
  return Math.max(-epochMsMax, Math.min(epochMsMax, Number(text)))
}

function waitMs(query: Query): number {
  const max = bounds.api.settlementWaitMsMax
  return query.milliseconds('waitMs', max, 0, `waitMs must be a number of milliseconds from 1 up to ${max}.`)
}
