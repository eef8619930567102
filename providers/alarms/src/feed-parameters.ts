import type { FeedParameter } from '@sluice/provider-kit'
import type { Variant } from './config.ts'

const shared: readonly FeedParameter[] = [
  { name: 'trigger_payload', type: 'any', description: 'What the trigger is fired with', updatable: true },
  {
    name: 'maxTriggers',
    type: 'number',
    description: 'Fires after which it ends; -1 for no end',
    updatable: true,
    default: -1,
  },
  {
    name: 'catchUp',
    type: 'string',
    description: 'After a downtime: none, latest (one event for the most recent instant) or all',
    updatable: true,
    default: 'latest',
  },
  {
    name: 'catchUpWindow',
    type: 'number',
    description: 'Seconds after which a missed instant is not made up',
    updatable: true,
    default: 3600,
  },
  {
    name: 'catchUpMax',
    type: 'number',
    description: 'Most events that catchUp all makes',
    updatable: true,
    default: 100,
  },
  {
    name: 'misfireGrace',
    type: 'number',
    description: 'Seconds within which a late instant always fires',
    updatable: true,
    default: 60,
  },
  { name: 'jitter', type: 'number', description: 'Seconds over which subscriptions are spread', updatable: true },
]

const period: readonly FeedParameter[] = [
  { name: 'startDate', type: 'any', description: 'First moment, ISO 8601 or epoch milliseconds', updatable: true },
  { name: 'stopDate', type: 'any', description: 'Last moment, ISO 8601 or epoch milliseconds', updatable: true },
  { name: 'exclusionDates', type: 'array', description: 'ISO dates that do not fire', updatable: true },
]

/** For the package's annotations, for near misses, and for what UPDATE may change; checked by `parameters/`. */
export const feedParameters: Readonly<Record<Variant, readonly FeedParameter[]>> = {
  cron: [
    {
      name: 'cron',
      type: 'string',
      description: 'Five or six cron fields, or a preset',
      required: true,
      updatable: true,
    },
    { name: 'schedule', type: 'string', description: 'Another name for cron', updatable: true },
    { name: 'timezone', type: 'string', description: 'IANA name; UTC without one', updatable: true },
    { name: 'strict', type: 'boolean', description: 'Fire at second 0 whatever the operator spreads', updatable: true },
    {
      name: 'cronDialect',
      type: 'string',
      description: 'standard, or openwhisk (months from 0)',
      updatable: true,
      default: 'standard',
    },
    { name: 'dst', type: 'string', description: 'wallclock or legacy', updatable: true },
    { name: 'limitCronFields', type: 'boolean', description: 'Set by the operator on the package' },
    ...period,
    ...shared,
  ],
  interval: [
    { name: 'minutes', type: 'number', description: 'Minutes between two fires', required: true, updatable: true },
    { name: 'isInterval', type: 'boolean', description: 'Set on the action', default: true },
    { name: 'timezone', type: 'string', description: 'For dates without a zone' },
    ...period,
    ...shared,
  ],
  once: [
    { name: 'date', type: 'any', description: 'ISO 8601 or epoch milliseconds', required: true, updatable: true },
    {
      name: 'deleteAfterFire',
      type: 'string',
      description: 'false, true (the trigger goes too) or rules (its rules as well)',
      updatable: true,
      default: 'false',
    },
    {
      name: 'onceGrace',
      type: 'number',
      description: 'Seconds within which a missed date fires late',
      updatable: true,
      default: 86_400,
    },
    { name: 'fireOnce', type: 'boolean', description: 'Set on the action', default: true },
    { name: 'timezone', type: 'string', description: 'For a date without a zone' },
    ...shared,
  ],
}
