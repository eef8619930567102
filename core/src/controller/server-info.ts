import { bounds, runtimeInfo, type RuntimesManifest, type SystemLimits } from '../model/index.ts'

/** What the server says of itself without credentials (rest-api.md §1.2, §1.3). */

const bytesPerMb = 1024 * 1024

/** `GET /`: durations in milliseconds, memory and logs in bytes. */
export function serverInfo(manifest: RuntimesManifest, limits: SystemLimits): object {
  const { actions } = limits
  const ranges = (prefix: string) => ({
    [`${prefix}min_action_duration`]: actions.timeoutMsMin,
    [`${prefix}max_action_duration`]: actions.timeoutMsMax,
    [`${prefix}min_action_memory`]: actions.memoryMbMin * bytesPerMb,
    [`${prefix}max_action_memory`]: actions.memoryMbMax * bytesPerMb,
    [`${prefix}min_action_logs`]: actions.logsMbMin * bytesPerMb,
    [`${prefix}max_action_logs`]: actions.logsMbMax * bytesPerMb,
  })
  const defaults = bounds.limitsDefault
  return {
    description: 'OpenWhisk',
    support: { github: 'https://github.com/apache/openwhisk/issues', slack: 'http://slack.openwhisk.org' },
    api_paths: ['/api/v1'],
    limits: {
      actions_per_minute: limits.invocationsPerMinute ?? defaults.invocationsPerMinute,
      triggers_per_minute: limits.firesPerMinute ?? defaults.firesPerMinute,
      concurrent_actions: limits.concurrentInvocations ?? defaults.concurrentInvocations,
      sequence_length: bounds.api.sequenceLengthMax,
      ...ranges('default_'),
      ...ranges(''),
    },
    runtimes: Object.fromEntries(manifest.families.map(({ family, kinds }) => [family, kinds.map(runtimeInfo)])),
  }
}

/** `GET /api/v1`. */
export function apiInfo(build: { readonly version: string; readonly number: string }): object {
  return {
    description: 'OpenWhisk API',
    api_version: '1.0.0',
    api_version_path: 'v1',
    build: build.version,
    buildno: build.number,
    swagger_paths: { ui: '/docs', 'api-docs': '/api-docs' },
  }
}
