import { isSluiceError, type WhiskAction, type WhiskPackage } from '@sluice/core/model'
import type { ArtifactStore, KeyRing, StoredDocument } from '@sluice/core/spi'
import { isInstalled, type InstalledEntity } from '@sluice/provider-kit'

/**
 * Writes the hub's own packages straight into the store: what is missing or differs. An installation that is up to date
 * writes nothing. Actions get `nodeKind`, the Node.js kind that this hub can run.
 */
export async function installEntities(
  deps: { artifacts: ArtifactStore; keyRing: KeyRing },
  entities: readonly InstalledEntity[],
  nodeKind: string,
): Promise<void> {
  for (const entity of entities) await install(deps, withKind(entity, nodeKind))
}

async function install(deps: { artifacts: ArtifactStore; keyRing: KeyRing }, wanted: InstalledEntity): Promise<void> {
  for (;;) {
    const stored = await deps.artifacts.get(wanted.id)
    if (stored && isInstalled(deps.keyRing, stored.document, wanted)) return
    const version = stored ? nextVersion(String(stored.document.version)) : wanted.document.version
    const document = { ...wanted.document, version } as unknown as StoredDocument
    try {
      await deps.artifacts.put(wanted.id, document, stored?.revision)
      return
    } catch (error) {
      // Another process installs the same: look again at what it wrote.
      if (!isSluiceError(error, 'SLUICE_CONFLICT')) throw error
    }
  }
}

function withKind({ id, document }: InstalledEntity, kind: string): InstalledEntity {
  return { id, document: document.entityType === 'action' ? asKind(document, kind) : document }
}

function asKind(action: WhiskAction, kind: string): WhiskAction | WhiskPackage {
  const annotations = action.annotations.map(entry => (entry.key === 'exec' ? { key: 'exec', value: kind } : entry))
  return { ...action, annotations, exec: { ...action.exec, kind } as WhiskAction['exec'] }
}

function nextVersion(version: string): string {
  const [major, minor, patch] = version.split('.').map(Number)
  return `${major ?? 0}.${minor ?? 0}.${(patch ?? 0) + 1}`
}
