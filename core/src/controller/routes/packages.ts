import { ApiError, bounds, isEntityName, type RuntimesManifest, type WhiskPackage } from '../../model/index.ts'
import type { ArtifactStore } from '../../spi/index.ts'
import { ok, type Answer } from '../answers.ts'
import type { BodyReader } from '../body-reader.ts'
import { firstName, requireJson, type Call, type Route } from '../call.ts'
import { owns, requireOwner } from '../entitlement.ts'
import { parseCommonFields, parseSizedFields } from '../entity-body.ts'
import { contentView, packageSummary, packageView } from '../entity-views.ts'
import { isObject, malformed, type JsonObject } from '../json-body.ts'
import { listAnswer } from '../list-answer.ts'
import type { PackageService } from '../package-service.ts'

/** Packages and bindings (rest-api.md §8). */
export function packageRoutes(deps: {
  artifacts: ArtifactStore
  packages: PackageService
  bodies: BodyReader
  manifest: RuntimesManifest
}): Route[] {
  const { artifacts, packages, bodies, manifest } = deps

  async function put(call: Call): Promise<Answer> {
    const name = firstName(call)
    requireOwner(call.identity, call.namespace, idOf(call))
    if (name === 'default') throw new ApiError(400, "Package name 'default' is reserved.")
    const bytes = await bodies.read(call.request, bounds.http.bodyBytesMax)
    requireJson(call.request, bytes, false)
    const body = parseSizedFields(bytes, call.identity, manifest)
    const overwrite = call.query.boolean('overwrite')
    const binding = parseBinding(body.fields, call.namespace)
    const written = await packages.put({
      identity: call.identity,
      namespace: call.namespace,
      name,
      overwrite,
      body,
      common: parseCommonFields(body.fields),
      ...(binding === undefined ? {} : { binding }),
    })
    return ok(packageView(written))
  }

  async function get(call: Call): Promise<Answer> {
    const contents = await packages.get(call.identity, idOf(call))
    return ok({
      ...packageView(contents.package, contents.parameters),
      actions: contents.actions.map(contentView),
      feeds: contents.feeds.map(contentView),
    })
  }

  async function remove(call: Call): Promise<Answer> {
    requireOwner(call.identity, call.namespace, idOf(call))
    return ok(packageView(await packages.delete(idOf(call), call.query.boolean('force'))))
  }

  /** Others see what is shared. */
  function list(call: Call): Promise<Answer> {
    const where = { namespace: call.namespace, publicOnly: !owns(call.identity, call.namespace) }
    return listAnswer<WhiskPackage>(artifacts, call, 'package', where, packageSummary)
  }

  return [
    { method: 'GET', collection: 'packages', shape: 'collection', handle: list },
    { method: 'GET', collection: 'packages', shape: 'entity', handle: get },
    { method: 'PUT', collection: 'packages', shape: 'entity', handle: put },
    { method: 'DELETE', collection: 'packages', shape: 'entity', handle: remove },
  ]
}

function idOf(call: Call): string {
  return `${call.namespace}/${firstName(call)}`
}

/** `{}` is no binding; `_` is the package's namespace. */
function parseBinding({ binding }: JsonObject, namespace: string): WhiskPackage['binding'] | undefined {
  if (binding === undefined) return undefined
  if (!isObject(binding)) throw malformed("Object expected in field 'namespace'")
  if (Object.keys(binding).length === 0) return {}
  for (const field of ['namespace', 'name']) {
    if (binding[field] === undefined) throw malformed(`Object is missing required member '${field}'`)
  }
  const text = (field: 'namespace' | 'name'): string => {
    const value = binding[field]
    const parts = typeof value === 'string' ? value.split('/').filter(part => part !== '') : []
    const [only] = parts
    if (parts.length !== 1 || only === undefined || !isEntityName(only)) throw malformed(`${field} malformed`)
    return only
  }
  const target = text('namespace')
  return { namespace: target === '_' ? namespace : target, name: text('name') }
}
