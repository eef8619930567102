import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import yauzl from 'yauzl'
import type { Entry, Options, ZipFile } from 'yauzl'
import { bounds } from './bounds.ts'
import type { UnpackTarget } from './unpack-target.ts'

const openZip = promisify<Buffer, Options, ZipFile>(yauzl.fromBuffer)

/** File types in the upper half of an entry's external attributes, where a Unix-like system made the archive. */
const typeMask = 0o170000
const linkType = 0o120000
const unixHosts = [3, 19]

/** Unpacks a zip. yauzl itself refuses names that leave the folder and entries larger than they say. */
export async function unpackZip(archive: Buffer, target: UnpackTarget): Promise<void> {
  const zip = await openZip(archive, { lazyEntries: true, strictFileNames: true, validateEntrySizes: true })
  if (zip.entryCount > bounds.archiveEntriesMax) throw new Error(`more than ${bounds.archiveEntriesMax} entries`)
  const ended = once(zip, 'end') // rejects on 'error'
  const open = promisify<Entry, Readable>(zip.openReadStream.bind(zip))
  zip.on('entry', (entry: Entry) => {
    unpackEntry(entry, open, target).then(
      () => zip.readEntry(),
      error => zip.emit('error', error),
    )
  })
  zip.readEntry()
  await ended
  target.finish()
}

async function unpackEntry(
  entry: Entry,
  open: (entry: Entry) => Promise<Readable>,
  target: UnpackTarget,
): Promise<void> {
  const mode = unixHosts.includes(entry.versionMadeBy >>> 8) ? entry.externalFileAttributes >>> 16 : 0
  if (entry.fileName.endsWith('/')) target.directory(entry.fileName)
  else if ((mode & typeMask) === linkType) target.link(entry.fileName, await linkTarget(entry, open))
  else await target.file(entry.fileName, (mode & 0o111) !== 0, await open(entry))
}

async function linkTarget(entry: Entry, open: (entry: Entry) => Promise<Readable>): Promise<string> {
  if (entry.uncompressedSize > bounds.linkBytesMax) throw new Error(`link is too long: ${entry.fileName}`)
  const stream = (await open(entry)) as AsyncIterable<Buffer>
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
