import type { KeyRing } from '@sluice/core/spi'
import { packageEntities, type InstalledEntity } from '@sluice/provider-kit'
import { alarmsProvider } from './provider.ts'

/**
 * The package `alarms` with `alarm`, `interval` and `once`, as documents that the hub writes. `trigger_payload` is bound
 * to '' as upstream, so that a trigger without a payload fires `{"payload":""}` (feeds.md §2.1).
 */
export function alarmsPackage(options: {
  keyRing: KeyRing
  token: string
  endpoint?: string
  namespace?: string
  limitCronFields?: boolean
  nowMs: number
}): InstalledEntity[] {
  const { namespace = 'whisk.system', limitCronFields, ...rest } = options
  return packageEntities({
    ...rest,
    namespace,
    definition: alarmsProvider(),
    description: 'Alarms and periodic utility',
    parameters: [
      { key: 'trigger_payload', value: '' },
      ...(limitCronFields ? [{ key: 'limitCronFields', value: true }] : []),
    ],
    actionParameters: {
      interval: [{ key: 'isInterval', value: true }],
      once: [{ key: 'fireOnce', value: true }],
    },
  })
}
