import type { ProviderDefinition } from './feed.ts'

/**
 * What READ warns of: a trigger that was written anew without its `feed` annotation goes on firing, but clients find no
 * feed to tell of its end (feeds.md §5.9). `trigger` is the hub's answer about it; any feed of the provider will
 * do, whatever package or binding it is reached through.
 */
export function annotationWarnings(definition: Pick<ProviderDefinition, 'feeds'>, trigger: unknown): string[] {
  const { annotations } = (trigger ?? {}) as { annotations?: unknown }
  const names = (Array.isArray(annotations) ? (annotations as unknown[]) : []).map(feedNameOf)
  if (definition.feeds.some(feed => names.includes(feed.name))) return []
  return ["the trigger has no annotation 'feed' that names this feed: deleting it will not end the subscription"]
}

/** The last part of the path in a `feed` annotation; nothing for any other annotation. */
function feedNameOf(annotation: unknown): string | undefined {
  const { key, value } = (annotation ?? {}) as { key?: unknown; value?: unknown }
  return key === 'feed' && typeof value === 'string' ? value.split('/').at(-1) : undefined
}
