import {
  ApiError,
  bounds,
  messages,
  payloadBytesMax,
  stringifyJson,
  type ActivationRecord,
  type Identity,
  type QualifiedName,
  type RuntimesManifest,
  type WhiskAction,
} from '../../model/index.ts'
import type { ArtifactStore } from '../../spi/index.ts'
import { parseLimits } from '../action-limits.ts'
import type { ActionService } from '../action-service.ts'
import { blockingView } from '../activation-views.ts'
import { ok, type Answer } from '../answers.ts'
import type { BodyReader } from '../body-reader.ts'
import { firstName, requireJson, type Call, type Route } from '../call.ts'
import { owns, requireOwner } from '../entitlement.ts'
import { absent, parseCommonFields, parseSizedFields } from '../entity-body.ts'
import { actionSummary, actionView } from '../entity-views.ts'
import { parsePayload } from '../json-body.ts'
import { listAnswer } from '../list-answer.ts'
import type { PackageService } from '../package-service.ts'
import { mergeParameters, redefinesFinal } from '../payload.ts'
import { idempotencyKey, traceparent, wantsExtraLogging } from '../request-headers.ts'
import type { ActionResolver, InvokeService, ResolvedAction } from '../services.ts'

/** Actions: kept, listed, invoked (rest-api.md §4, §5). */
export function actionRoutes(deps: {
  artifacts: ArtifactStore
  actions: ActionService
  packages: PackageService
  resolver: ActionResolver
  invoke: InvokeService
  bodies: BodyReader
  manifest: RuntimesManifest
}): Route[] {
  const { artifacts, actions, packages, resolver, invoke, bodies, manifest } = deps

  async function put(call: Call): Promise<Answer> {
    const { path, name } = nameOf(call)
    await requireWritable(call, path, name)
    const bytes = await bodies.read(call.request, bounds.http.bodyBytesMax)
    requireJson(call.request, bytes, false)
    const body = parseSizedFields(bytes, call.identity, manifest)
    const overwrite = call.query.boolean('overwrite')
    const written = await actions.put({
      identity: call.identity,
      path,
      name,
      overwrite,
      body,
      common: parseCommonFields(body.fields),
      limits: parseLimits(body.fields['limits']),
      delAnnotations: stringsOf(body.fields['delAnnotations']),
    })
    return ok(actionView(written, await codeOf(written, body.exec)))
  }

  /** What was sent need not be read back. */
  async function codeOf(action: WhiskAction, sent: WhiskAction['exec'] | undefined): Promise<string | undefined> {
    if (sent !== undefined) return 'components' in sent ? undefined : sent.code
    if ('components' in action.exec || action.exec.attachment === undefined) {
      return 'components' in action.exec ? undefined : action.exec.code
    }
    return (await actions.get(`${action.namespace}/${action.name}`)).code
  }

  async function remove(call: Call): Promise<Answer> {
    const { path, name } = nameOf(call)
    await requireWritable(call, path, name)
    const { action, code } = await actions.delete(`${path}/${name}`)
    return ok(actionView(action, code))
  }

  /** Only the owner writes; in a package only when it is there and no binding. */
  async function requireWritable(call: Call, path: string, name: string): Promise<void> {
    requireOwner(call.identity, call.namespace, `${path}/${name}`)
    if (path !== call.namespace) await packages.requireWritable(path)
  }

  async function get(call: Call): Promise<Answer> {
    const { path, name } = nameOf(call)
    if (path === call.namespace) requireOwner(call.identity, path, `${path}/${name}`)
    const place = path === call.namespace ? undefined : await packages.readable(call.identity, path)
    const withCode = call.query.boolean('code', true)
    const id = `${place?.id ?? path}/${name}`
    const found = withCode ? await actions.get(id) : { action: await actions.getWithoutCode(id), code: undefined }
    const parameters = place === undefined ? undefined : mergeParameters([place.parameters, found.action.parameters])
    const view = actionView(found.action, found.code, parameters)
    const binding =
      place?.isBinding === true && !withCode ? { binding: { namespace: call.namespace, name: firstName(call) } } : {}
    return ok({ ...view, ...binding })
  }

  function list(call: Call): Promise<Answer> {
    requireOwner(call.identity, call.namespace, call.namespace)
    return listAnswer<WhiskAction>(artifacts, call, 'action', { namespace: call.namespace }, actionSummary)
  }

  async function listPackage(call: Call): Promise<Answer> {
    const { id } = await packages.readable(call.identity, `${call.namespace}/${firstName(call)}`)
    const slash = id.indexOf('/')
    const where = { namespace: id.slice(0, slash), packageName: id.slice(slash + 1) }
    return listAnswer<WhiskAction>(artifacts, call, 'action', where, actionSummary)
  }

  async function post(call: Call): Promise<Answer> {
    const { request, identity, query } = call
    const name = nameOf(call)
    let action: ResolvedAction | ApiError
    try {
      const resolving = resolver.resolve(identity, name)
      action = resolving instanceof Promise ? await resolving : resolving
    } catch (error) {
      action = await laterError(identity, name, error)
    }
    const reading = bodies.read(request, payloadBytesMax(identity.limits))
    const bytes = reading instanceof Promise ? await reading : reading
    const blocking = query.boolean('blocking')
    const resultOnly = query.boolean('result')
    const waitMs = query.milliseconds(
      'timeout',
      bounds.api.blockingWaitMsMax,
      bounds.api.blockingWaitMsMax,
      messages.blockingTimeout,
    )
    requireJson(request, bytes, true)
    const payload = parsePayload(bytes)
    if (action instanceof ApiError) throw action
    actions.requireSupported(action.action.exec.kind)
    if (redefinesFinal(action.action, action.parameters, payload.keys)) {
      throw new ApiError(400, messages.finalParameters)
    }
    const { activationId, record } = await invoke.invoke({
      identity,
      action,
      payload: payload.text,
      payloadKeys: payload.keys,
      blocking,
      waitMs,
      transid: call.transid,
      ...idempotencyKey(request),
      ...traceparent(request),
      extraLogging: wantsExtraLogging(request),
    })
    if (record === undefined) return accepted(activationId)
    return recordAnswer(record, resultOnly)
  }

  /** An action that is missing is told only after the body was looked at; a package at once (rest-api.md §1.10). */
  async function laterError(identity: Identity, name: QualifiedName, error: unknown): Promise<ApiError> {
    if (!(error instanceof ApiError) || (!owns(identity, name.path) && error.status === 403)) throw error
    if (name.path.includes('/')) await packages.readable(identity, name.path)
    return error
  }

  return [
    { method: 'GET', collection: 'actions', shape: 'collection', handle: list },
    { method: 'GET', collection: 'actions', shape: 'entity', handle: get },
    { method: 'PUT', collection: 'actions', shape: 'entity', handle: put },
    { method: 'DELETE', collection: 'actions', shape: 'entity', handle: remove },
    { method: 'POST', collection: 'actions', shape: 'entity', throttle: 'invoke', handle: post },
    { method: 'GET', collection: 'actions', shape: 'package', handle: listPackage },
    { method: 'GET', collection: 'actions', shape: 'packaged', handle: get },
    { method: 'PUT', collection: 'actions', shape: 'packaged', handle: put },
    { method: 'DELETE', collection: 'actions', shape: 'packaged', handle: remove },
    { method: 'POST', collection: 'actions', shape: 'packaged', throttle: 'invoke', handle: post },
  ]
}

export function accepted(activationId: string): Answer {
  return { status: 202, body: `{"activationId":${JSON.stringify(activationId)}}`, activationId }
}

const statuses = [200, 502, 502, 500] as const

/** A finished blocking invoke (rest-api.md §5.2). An array is answered bare, whatever was asked for. */
function recordAnswer(record: ActivationRecord, resultOnly: boolean): Answer {
  const { result = {}, statusCode } = record.response
  const bare = resultOnly || (statusCode === 0 && Array.isArray(result))
  return {
    status: statuses[statusCode],
    body: stringifyJson(bare ? result : blockingView(record)),
    activationId: record.activationId,
  }
}

function nameOf({ namespace, names }: Call): QualifiedName {
  return names.length === 2
    ? { path: `${namespace}/${names[0] ?? ''}`, name: names[1] ?? '' }
    : { path: namespace, name: names[0] ?? '' }
}

function stringsOf(value: unknown): string[] {
  if (absent(value) || !Array.isArray(value)) return []
  return value.filter(entry => typeof entry === 'string')
}
