import {
  ApiError,
  bounds,
  parseQualifiedName,
  payloadBytesMax,
  qualifiedId,
  stringifyJson,
  type QualifiedName,
  type RuleStatus,
  type RuntimesManifest,
  type WhiskRule,
  type WhiskTrigger,
} from '../../model/index.ts'
import type { ArtifactStore } from '../../spi/index.ts'
import { ok, plain, type Answer } from '../answers.ts'
import type { BodyReader } from '../body-reader.ts'
import { firstName, requireJson, type Call, type Route } from '../call.ts'
import { requireOwner } from '../entitlement.ts'
import type { EntityCache } from '../entity-cache.ts'
import { entityOf } from '../entity-documents.ts'
import { absent, detailed, parseCommonFields, parseSizedFields } from '../entity-body.ts'
import { ruleView } from '../entity-views.ts'
import { isObject, malformed, parseBody } from '../json-body.ts'
import { listAnswer } from '../list-answer.ts'
import type { RuleService } from '../rule-service.ts'
import type { ExplainService } from '../services.ts'
import { payloadOf } from './triggers.ts'

/** Rules (rest-api.md §7.3). */
export function ruleRoutes(deps: {
  artifacts: ArtifactStore
  rules: RuleService
  cache: EntityCache
  explain: ExplainService
  bodies: BodyReader
  manifest: RuntimesManifest
}): Route[] {
  const { artifacts, rules, cache, bodies, manifest } = deps

  async function put(call: Call): Promise<Answer> {
    const id = ownId(call)
    const bytes = await bodies.read(call.request, bounds.http.bodyBytesMax)
    requireJson(call.request, bytes, false)
    const body = parseSizedFields(bytes, call.identity, manifest)
    const overwrite = call.query.boolean('overwrite')
    const trigger = nameIn(body.fields['trigger'], call.namespace)
    const action = nameIn(body.fields['action'], call.namespace)
    const { rule, status } = await rules.put({
      identity: call.identity,
      namespace: call.namespace,
      name: id.slice(call.namespace.length + 1),
      overwrite,
      body,
      common: parseCommonFields(body.fields),
      ...(trigger === undefined ? {} : { trigger }),
      ...(action === undefined ? {} : { action }),
    })
    return ok(ruleView(rule, status))
  }

  async function get(call: Call): Promise<Answer> {
    const { rule, status } = await rules.get(ownId(call))
    return ok(ruleView(rule, status))
  }

  async function remove(call: Call): Promise<Answer> {
    return ok(ruleView(await rules.delete(ownId(call)), 'inactive'))
  }

  async function post(call: Call): Promise<Answer> {
    const id = ownId(call)
    const bytes = await bodies.read(call.request, bounds.api.parametersBytesMax)
    requireJson(call.request, bytes, false)
    await rules.setStatus(id, statusIn(parseBody(bytes)))
    return plain('OK')
  }

  function list(call: Call): Promise<Answer> {
    requireOwner(call.identity, call.namespace, call.namespace)
    return listAnswer<WhiskRule>(artifacts, call, 'rule', { namespace: call.namespace }, rule => ruleView(rule))
  }

  async function explain(call: Call): Promise<Answer> {
    const { request } = call
    const id = ownId(call)
    const { rule } = await rules.get(id)
    const bytes = await bodies.read(request, payloadBytesMax(call.identity.limits))
    const payload = payloadOf(call, bytes)
    const stored = await cache.get(qualifiedId(rule.trigger))
    const trigger = stored?.document.entityType === 'trigger' ? entityOf<WhiskTrigger>(stored, 'trigger') : undefined
    const explained =
      trigger &&
      (await deps.explain.rule(
        { trigger, payload, headers: request.headers, rawHeaders: request.rawHeaders, transid: call.transid },
        id,
      ))
    if (explained === undefined) {
      const why = trigger === undefined ? 'does not exist' : 'is not linked to it: activate the rule'
      throw new ApiError(404, `The trigger of rule '${rule.name}' ${why}.`)
    }
    return ok(explained)
  }

  return [
    { method: 'POST', collection: 'rules', shape: { below: 'explain' }, handle: explain },
    { method: 'GET', collection: 'rules', shape: 'collection', handle: list },
    { method: 'GET', collection: 'rules', shape: 'entity', handle: get },
    { method: 'PUT', collection: 'rules', shape: 'entity', handle: put },
    { method: 'DELETE', collection: 'rules', shape: 'entity', handle: remove },
    { method: 'POST', collection: 'rules', shape: 'entity', json: false, handle: post },
  ]
}

function ownId(call: Call): string {
  const id = `${call.namespace}/${firstName(call)}`
  requireOwner(call.identity, call.namespace, id)
  return id
}

function nameIn(value: unknown, namespace: string): QualifiedName | undefined {
  return absent(value) ? undefined : detailed(() => parseQualifiedName(value, namespace))
}

function statusIn(body: unknown): RuleStatus {
  if (!isObject(body)) throw malformed('JSON object expected')
  const status = body['status']
  if (status === undefined) throw malformed('key not found: status')
  if (typeof status !== 'string') throw malformed(`${stringifyJson(status)} (of class spray.json.${jsonType(status)})`)
  if (status === 'active' || status === 'inactive') return status
  throw malformed(`requirement failed: ${status} is not a recognized rule state`)
}

/** OpenWhisk's names for the types of JSON values; they are on the wire. */
function jsonType(value: unknown): string {
  if (value === null) return 'JsNull$'
  if (Array.isArray(value)) return 'JsArray'
  if (typeof value === 'boolean') return value ? 'JsTrue$' : 'JsFalse$'
  return isObject(value) && Object.getPrototypeOf(value) === Object.prototype ? 'JsObject' : 'JsNumber'
}
