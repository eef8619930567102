import type { CallContext, Checked, Feed, FeedParameter, ProviderDefinition } from '@sluice/provider-kit'
import { defineFeed, parameterError } from '@sluice/provider-kit'
import { openAlarmsSource } from './alarms-source.ts'
import type { AlarmConfig, OperatorOptions, Variant } from './config.ts'
import type { Pulse } from './engine/pulse.ts'
import { feedParameters } from './feed-parameters.ts'
import { parseCreate, parseUpdate, variantOf, type Parsed } from './parameters/lifecycle.ts'
import { shownConfig } from './parameters/read-config.ts'

/** The feeds by their names in the package; the variants are what OpenWhisk's alarms call the same things. */
const feedOfVariant: Readonly<Record<Variant, string>> = { cron: 'alarm', interval: 'interval', once: 'once' }

/** `alarm`, `interval` and `once` (feeds.md §2.1). READ, UPDATE and DELETE work through any of the three. */
export function alarmsProvider(
  options: Partial<OperatorOptions> & { limitCronFields?: boolean; pulse?: Pulse } = {},
): ProviderDefinition {
  const operator = { alarmDelayLimit: options.alarmDelayLimit ?? 0, defaultStrict: options.defaultStrict ?? false }
  const readOptions = (context: CallContext, limited: unknown) => ({
    ...operator,
    nowMs: context.nowMs,
    triggerName: context.trigger,
    limitCronFields: options.limitCronFields || limited === true || limited === 'true',
  })

  function alarmFeed(variant: Variant, description: string, parameters: readonly FeedParameter[]): Feed {
    return defineFeed({
      name: feedOfVariant[variant],
      description,
      parameters,
      create: (given, context) => checked(parseCreate(variant, given, readOptions(context, given.limitCronFields))),
      update: (config, given, context) =>
        checked(
          parseUpdate(config as AlarmConfig, given, {
            ...readOptions(context, given.limitCronFields),
            otherUpdates: context.otherUpdates,
          }),
        ),
      describe: config => shownConfig(config as AlarmConfig, operator.defaultStrict),
    })
  }

  return {
    name: 'alarms',
    feeds: [
      alarmFeed('cron', 'Fire trigger when alarm occurs', feedParameters.cron),
      alarmFeed('interval', 'Fire trigger at specified interval', feedParameters.interval),
      alarmFeed('once', 'Fire trigger once when alarm occurs', feedParameters.once),
    ],
    select: parameters => feedOfVariant[variantOf(parameters)],
    errorShape: 'nested',
    texts: {
      noTriggerName: 'no trigger name parameter was provided',
      unauthorized: 'Trigger authentication request failed.',
      adminDisabled: triggerName =>
        `${triggerName} cannot be updated because it was disabled by an admin.  Please contact support for further assistance`,
      notFound: triggerName => `could not find trigger ${triggerName} in the database`,
    },
    start: services => openAlarmsSource(services, { ...operator, pulse: options.pulse }),
  }
}

function checked(parsed: Parsed<AlarmConfig>): Checked {
  if ('error' in parsed) throw parameterError(parsed.error)
  return parsed
}
