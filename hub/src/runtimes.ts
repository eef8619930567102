import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { ProcessRuntime } from '@sluice/core/container/process'
import { parseRuntimesManifest, printImageName, withKinds, type RuntimesManifest } from '@sluice/core/model'
import { nodejsRuntime } from '@sluice/runtime-nodejs'
import { findPython, pythonMinors } from '@sluice/runtime-python'

/** The kinds of actions that this hub can run, and the programs that run them (runtimes.md §3). */

/** Every kind that Sluice knows; what is shown and accepted is cut down to what can be started here. */
const known = parseRuntimesManifest({
  runtimes: {
    nodejs: [nodejs('20', true), nodejs('22', false), nodejs('24', false)],
    python: [
      ...pythonMinors.map((minor, index) => python(`3.${minor}`, `3.${minor}`, index === 0)),
      // As OpenWhisk once called it: any Python 3.
      python('3', `3.${pythonMinors[0]}`, false),
    ],
  },
  blackboxes: [{ prefix: 'sluice', name: 'action-skeleton', tag: 'latest' }],
})

/**
 * Programs by kind: this process's own Node, `node20`, `node22`, `node24` when the PATH has them, and the PATH's Python.
 */
export function processRuntimes(path = process.env.PATH ?? ''): Readonly<Record<string, ProcessRuntime>> {
  const runtime = nodejsRuntime()
  const runtimes: Record<string, ProcessRuntime> = {}
  const add = (kind: string | undefined, command: string): void => {
    if (kind === undefined || runtimes[kind]) return
    runtimes[kind] = { command, args: memoryMb => [...runtime.nodeArgs(memoryMb), runtime.serverPath] }
  }
  add(runtime.kindOf(process.version), process.execPath)
  for (const major of runtime.majors) {
    const command = onPath(`node${major}`, path)
    if (command !== undefined) add(`nodejs:${major}`, command)
  }
  const found = findPython(path)
  if (found) for (const kind of found.kinds) runtimes[kind] = { command: found.command, args: () => found.args }
  return runtimes
}

/** The image that runs programs of any language, for users that name OpenWhisk's. */
const skeletonImage = 'sluice/action-skeleton:latest'

/** Names without a tag that users may give to images of the platform, and which image each is here. */
export const nativeImages: Readonly<Record<string, string>> = {
  'openwhisk/dockerskeleton': skeletonImage,
  'sluice/action-skeleton': skeletonImage,
}

/** Whether an image that a user names, with whatever tag, is one of the platform. */
export function isNativeImage(image: string): boolean {
  const [name = ''] = image.split(/[:@]/, 1)
  return Object.hasOwn(nativeImages, name)
}

/** The image of every kind that Sluice knows. */
export function imagesOfKinds(): Readonly<Record<string, string>> {
  const kinds = known.families.flatMap(family => family.kinds)
  return Object.fromEntries(kinds.map(({ kind, image }) => [kind, printImageName(image)]))
}

/** The manifest of the kinds that can be started. */
export function manifestOf(supports: (kind: string) => boolean): RuntimesManifest {
  return withKinds(known, supports)
}

function nodejs(major: string, standard: boolean): object {
  return {
    kind: `nodejs:${major}`,
    default: standard,
    image: { prefix: 'sluice', name: `action-nodejs-v${major}`, tag: 'latest' },
    attached: { attachmentName: 'codefile', attachmentType: 'text/plain' },
  }
}

function python(version: string, image: string, standard: boolean): object {
  return {
    kind: `python:${version}`,
    default: standard,
    image: { prefix: 'sluice', name: `action-python-v${image}`, tag: 'latest' },
    attached: { attachmentName: 'codefile', attachmentType: 'text/plain' },
  }
}

function onPath(name: string, path: string): string | undefined {
  for (const directory of path.split(delimiter)) {
    const file = join(directory, name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // Not there; the next directory may have it.
    }
  }
  return undefined
}
