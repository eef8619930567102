import {
  ApiError,
  firstVersion,
  isEntityName,
  messages,
  nextVersion,
  valueOf,
  type RuleLink,
  type WhiskTrigger,
} from '../model/index.ts'
import type { CommonFields, EntityBody } from './entity-body.ts'
import type { EntityStore } from './entity-store.ts'
import { storedTriggerFilter, takeTriggerAnnotations, withProblem } from './event-annotations.ts'
import type { RuleFilters } from './rule-filters.ts'

/** Triggers, and the links of rules that live in their documents (rest-api.md §7.1, §7.3). */
export interface TriggerService {
  put(request: PutTrigger): Promise<WhiskTrigger>
  get(id: string): Promise<WhiskTrigger>
  delete(id: string): Promise<WhiskTrigger>
  /** The link of `ns/rule`; nothing when the trigger is missing, unreadable, or does not have it. */
  link(id: string, rule: string): Promise<RuleLink | undefined>
  /** Changes the link, or removes it when `change` gives nothing; `updated` and `version` stay. Resolves to whether a
   *  readable trigger is there. */
  relink(id: string, rule: string, change: (link: RuleLink | undefined) => RuleLink | undefined): Promise<boolean>
}

export type PutTrigger = {
  readonly namespace: string
  readonly name: string
  readonly overwrite: boolean
  readonly body: EntityBody
  readonly common: CommonFields
}

export function createTriggerService(deps: { entities: EntityStore; filters: RuleFilters }): TriggerService {
  const { entities } = deps
  return {
    async put({ namespace, name, overwrite, body, common }) {
      const annotations = takeTriggerAnnotations(body.annotations, deps.filters.jsonata)
      return entities.put<WhiskTrigger>(`${namespace}/${name}`, 'trigger', overwrite, existing => {
        if (existing === undefined) checkFeed(valueOf(body.annotations ?? [], 'feed'))
        return {
          entityType: 'trigger',
          namespace,
          name,
          version: common.version ?? (existing === undefined ? firstVersion : nextVersion(existing.version)),
          publish: common.publish ?? existing?.publish ?? false,
          updated: entities.stampMs(),
          annotations: annotations ?? existing?.annotations ?? [],
          parameters: body.parameters ?? existing?.parameters ?? [],
          limits: {},
          ...(existing?.rules === undefined ? {} : { rules: existing.rules }),
        }
      })
    },

    async get(id) {
      const { entity: trigger } = await entities.get<WhiskTrigger>(id, 'trigger')
      const { problem } = storedTriggerFilter(trigger.annotations, deps.filters.jsonata)
      if (problem === undefined) return trigger
      return { ...trigger, annotations: withProblem(trigger.annotations, problem) }
    },

    delete: id => entities.delete<WhiskTrigger>(id, 'trigger'),

    async link(id, rule) {
      const stored = await entities.find(id)
      const rules =
        stored?.document.entityType === 'trigger' ? (stored.document['rules'] as WhiskTrigger['rules']) : undefined
      return rules?.[rule]
    },

    async relink(id, rule, change) {
      const apply = (trigger: WhiskTrigger): WhiskTrigger => {
        const before = trigger.rules?.[rule]
        const after = change(before)
        if (after === before) return trigger
        const { [rule]: _, ...others } = trigger.rules ?? {}
        return { ...trigger, rules: after === undefined ? others : { ...others, [rule]: after } }
      }
      try {
        return (await entities.change<WhiskTrigger>(id, 'trigger', apply)) !== undefined
      } catch (error) {
        if (error instanceof ApiError) return false
        throw error
      }
    },
  }
}

/** A feed is named by a path of legal names; the server does not look whether it exists. */
function checkFeed(feed: unknown): void {
  if (feed === undefined) return
  const parts = typeof feed === 'string' ? feed.split('/').filter(part => part !== '') : []
  if (parts.length === 0 || !parts.every(isEntityName)) throw new ApiError(400, messages.feedName)
}
