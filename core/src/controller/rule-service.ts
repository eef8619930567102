import {
  ApiError,
  firstVersion,
  nextVersion,
  qualifiedId,
  type Identity,
  type QualifiedName,
  type RuleLink,
  type RuleStatus,
  type WhiskPackage,
  type WhiskRule,
} from '../model/index.ts'
import type { Stored } from '../spi/index.ts'
import { storedRuleFilter, takeRuleAnnotations, withProblem } from './event-annotations.ts'
import type { RuleFilters } from './rule-filters.ts'
import { bindingId, requireReadable } from './entitlement.ts'
import type { CommonFields, EntityBody } from './entity-body.ts'
import { isWhole } from './entity-documents.ts'
import type { EntityStore } from './entity-store.ts'
import { linkName } from './entity-views.ts'
import type { TriggerService } from './trigger-service.ts'

/** Rules (rest-api.md §7.3). Whether one is active stands in its trigger's document, which a fire reads. */
export interface RuleService {
  put(request: PutRule): Promise<{ rule: WhiskRule; status: RuleStatus }>
  get(id: string): Promise<{ rule: WhiskRule; status: RuleStatus }>
  /** Works whatever the status, and when the trigger is gone. */
  delete(id: string): Promise<WhiskRule>
  setStatus(id: string, status: RuleStatus): Promise<void>
}

export type PutRule = {
  readonly identity: Identity
  readonly namespace: string
  readonly name: string
  readonly overwrite: boolean
  readonly body: EntityBody
  readonly common: CommonFields
  readonly trigger?: QualifiedName
  readonly action?: QualifiedName
}

export function createRuleService(deps: {
  entities: EntityStore
  triggers: TriggerService
  filters: RuleFilters
}): RuleService {
  const { entities, triggers } = deps
  const load = (id: string) => entities.find(id)

  async function checkTargets(trigger: QualifiedName, action: QualifiedName): Promise<void> {
    checkTarget(await load(qualifiedId(trigger)), `trigger /${qualifiedId(trigger)}`, 'trigger', 'WhiskTrigger')
    const actionId = await behindBinding(action)
    checkTarget(await load(actionId), `action /${qualifiedId(action)}`, 'action', 'WhiskActionMetaData')
  }

  /** An action may be referred to through a binding; the link keeps the binding's name. */
  async function behindBinding({ path, name }: QualifiedName): Promise<string> {
    const found = path.includes('/') ? await load(path) : undefined
    const isPackage = found?.document.entityType === 'package' && isWhole(found.document)
    const target = isPackage ? bindingId(found.document as unknown as WhiskPackage) : undefined
    return `${target ?? path}/${name}`
  }

  async function statusOf(rule: WhiskRule): Promise<RuleStatus> {
    return (await triggers.link(qualifiedId(rule.trigger), linkName(rule)))?.status ?? 'inactive'
  }

  /** Links the written rule to its trigger. The rule comes first: a link without a rule would run an action for nothing,
   *  a rule without a link is only inactive. */
  async function link(rule: WhiskRule, existing: WhiskRule | undefined): Promise<RuleStatus> {
    const name = linkName(rule)
    const triggerId = qualifiedId(rule.trigger)
    const oldTriggerId = existing && qualifiedId(existing.trigger)
    let status: RuleStatus = 'active'
    if (existing !== undefined) {
      status = (await triggers.link(qualifiedId(existing.trigger), name))?.status ?? 'inactive'
      if (oldTriggerId !== undefined && oldTriggerId !== triggerId) {
        await triggers.relink(oldTriggerId, name, () => undefined)
      }
    }
    const linked = await triggers.relink(triggerId, name, before =>
      linkOf(
        rule,
        existing === undefined ? 'active' : oldTriggerId === triggerId ? (before?.status ?? 'inactive') : status,
      ),
    )
    return linked ? status : 'inactive'
  }

  return {
    async put(request) {
      const { identity, namespace, name, overwrite, body, common } = request
      const annotations = takeRuleAnnotations(body.annotations, deps.filters.jsonata)
      const named = [request.trigger, request.action].filter(target => target !== undefined)
      await requireReadable(load, identity, named)
      const make = async (existing: WhiskRule | undefined): Promise<WhiskRule> => {
        const trigger = request.trigger ?? existing?.trigger
        const action = request.action ?? existing?.action
        if (trigger === undefined || action === undefined) {
          throw new ApiError(400, 'rule requires a valid trigger and a valid action')
        }
        await checkTargets(trigger, action)
        return {
          entityType: 'rule',
          namespace,
          name,
          version: common.version ?? (existing === undefined ? firstVersion : nextVersion(existing.version)),
          publish: common.publish ?? existing?.publish ?? false,
          updated: entities.stampMs(),
          annotations: annotations ?? existing?.annotations ?? [],
          trigger,
          action,
        }
      }
      let status: RuleStatus = 'inactive'
      const rule = await entities.put<WhiskRule>(
        `${namespace}/${name}`,
        'rule',
        overwrite,
        make,
        async (written, old) => {
          status = await link(written, old)
        },
      )
      return { rule, status }
    },

    async get(id) {
      const { entity: rule } = await entities.get<WhiskRule>(id, 'rule')
      // Events.md §3.1.
      const { problem } = storedRuleFilter(rule.annotations, deps.filters.jsonata)
      if (problem === undefined) return { rule, status: await statusOf(rule) }
      return { rule: { ...rule, annotations: withProblem(rule.annotations, problem) }, status: 'inactive' }
    },

    // The link goes first, so that a rule that cannot be found any more does not run.
    delete: id =>
      entities.delete<WhiskRule>(id, 'rule', async rule => {
        await triggers.relink(qualifiedId(rule.trigger), linkName(rule), () => undefined)
      }),

    async setStatus(id, status) {
      const { entity: rule } = await entities.get<WhiskRule>(id, 'rule')
      const relinked = await triggers.relink(qualifiedId(rule.trigger), linkName(rule), link => {
        if (link === undefined && status === 'inactive') return undefined
        return link?.status === status ? link : linkOf(rule, status)
      })
      if (!relinked && status === 'active') {
        throw new ApiError(404, 'Only rules with existing triggers can be activated')
      }
    },
  }
}

/** What a fire reads of the rule: all of it, whoever makes the link, or the rule would run without its filter. */
function linkOf(rule: WhiskRule, status: RuleStatus): RuleLink {
  const annotations = rule.annotations.length === 0 ? {} : { annotations: rule.annotations }
  return { action: rule.action, status, ...annotations }
}

function checkTarget(stored: Stored | undefined, what: string, kind: string, wanted: string): void {
  if (stored === undefined) throw new ApiError(400, `${what} does not exist`)
  const storedKind = stored.document.entityType
  if (storedKind !== kind) {
    const found = entityClasses[storedKind]
    if (found === undefined) throw new ApiError(400, `${what} is corrupted`)
    const of = 'org.apache.openwhisk.core.entity'
    throw new ApiError(400, `document type class ${of}.${found} did not match expected type class ${of}.${wanted}.`)
  }
  if (!isWhole(stored.document)) throw new ApiError(400, `${what} is corrupted`)
}

const entityClasses: Readonly<Record<string, string>> = {
  action: 'WhiskAction',
  package: 'WhiskPackage',
  trigger: 'WhiskTrigger',
  rule: 'WhiskRule',
}
