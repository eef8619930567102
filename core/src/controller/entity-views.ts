import {
  qualifiedId,
  type Parameters,
  type QualifiedName,
  type RuleStatus,
  type WhiskAction,
  type WhiskEntity,
  type WhiskPackage,
  type WhiskRule,
  type WhiskTrigger,
} from '../model/index.ts'

/** How entities look on the wire (rest-api.md §4.2, §4.3, §7, §8.1). */

function summary({ namespace, name, version, publish, updated, annotations }: WhiskEntity) {
  return { namespace, name, version, publish, updated, annotations }
}

/** Parameters as clients see them. */
function shownParameters(parameters: Parameters) {
  return parameters.map(({ key, value, init, encryption }) => ({
    key,
    value,
    ...(init === true ? { init } : {}),
    ...(encryption === undefined ? {} : { encryption }),
  }))
}

/** `code` is left out when undefined. */
export function actionView(action: WhiskAction, code: string | undefined, parameters = action.parameters) {
  const { exec } = action
  const shown =
    'components' in exec
      ? { kind: exec.kind, components: exec.components }
      : {
          kind: exec.kind,
          binary: exec.binary,
          ...(code === undefined ? {} : { code }),
          ...(exec.main === undefined ? {} : { main: exec.main }),
          ...(exec.image === undefined ? {} : { image: exec.image }),
        }
  return { ...summary(action), exec: shown, parameters: shownParameters(parameters), limits: action.limits }
}

export function actionSummary(action: WhiskAction) {
  const binary = 'binary' in action.exec && action.exec.binary
  return { ...summary(action), limits: action.limits, exec: { binary } }
}

export function packageView(entity: WhiskPackage, parameters = entity.parameters) {
  return { ...summary(entity), parameters: shownParameters(parameters), binding: entity.binding }
}

export function packageSummary(entity: WhiskPackage) {
  const { namespace, name } = entity.binding
  return { ...summary(entity), binding: namespace === undefined ? false : { namespace, name } }
}

/** An action or feed as its package shows it. */
export function contentView({ name, version, annotations }: WhiskAction) {
  return { name, version, annotations }
}

export function triggerView(trigger: WhiskTrigger) {
  const { rules } = trigger
  const links = Object.entries(rules ?? {}).map(([rule, { action, status }]) => [
    rule,
    { action: nameView(action), status },
  ])
  return {
    ...summary(trigger),
    parameters: shownParameters(trigger.parameters),
    limits: {},
    ...(rules === undefined ? {} : { rules: Object.fromEntries(links) as object }),
  }
}

export function triggerSummary(trigger: WhiskTrigger) {
  return summary(trigger)
}

/** Without a status as in lists. */
export function ruleView(rule: WhiskRule, status?: RuleStatus) {
  return {
    ...summary(rule),
    ...(status === undefined ? {} : { status }),
    trigger: nameView(rule.trigger),
    action: nameView(rule.action),
  }
}

function nameView({ path, name }: QualifiedName) {
  return { path, name }
}

/** `ns/rule`: how a trigger names the rules that are linked to it. */
export function linkName(rule: { namespace: string; name: string }): string {
  return qualifiedId({ path: rule.namespace, name: rule.name })
}
