import { installDependencies } from './install-dependencies.ts'
import { loadPackage } from './load-package.ts'
import { LoadError } from './errors.ts'
import { messages } from './messages.ts'
import { UnpackTarget } from './unpack-target.ts'
import { createWorkspace } from './workspace.ts'

/**
 * Unpacks a base64 zip or tar.gz into a folder of its own, which becomes the working directory, and loads the package
 * in it (runtimes.md §5.1). Whatever is wrong with the archive is told in OpenWhisk's words, details on stderr.
 */
export async function loadArchive(code: string, main: string): Promise<unknown> {
  const archive = Buffer.from(code, 'base64')
  const folder = createWorkspace()
  const target = new UnpackTarget(folder)
  if (isZip(archive)) {
    const { unpackZip } = await import('./unpack-zip.ts')
    await orFail(messages.zipFailed, unpackZip(archive, target))
  } else if (isGzip(archive)) {
    const { unpackTar } = await import('./unpack-tar.ts')
    await orFail(messages.tarFailed, unpackTar(archive, target))
  } else {
    throw new LoadError(messages.archiveUnsupported)
  }
  process.chdir(folder)
  await installDependencies(folder)
  return loadPackage(folder, main)
}

async function orFail(message: string, unpacked: Promise<void>): Promise<void> {
  try {
    await unpacked
  } catch (cause) {
    throw new LoadError(message, { cause })
  }
}

function isZip(archive: Buffer): boolean {
  return archive.length > 4 && archive.readUInt32BE(0) === 0x504b0304
}

/** OpenWhisk looks at the flag byte as well and so refuses archives of some packers; any flag is fine here. */
function isGzip(archive: Buffer): boolean {
  return archive.length > 4 && archive.readUIntBE(0, 3) === 0x1f8b08
}
