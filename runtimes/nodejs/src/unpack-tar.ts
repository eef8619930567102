import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract, type Header } from 'tar-stream'
import { bounds } from './bounds.ts'
import type { Content, UnpackTarget } from './unpack-target.ts'

/** Bytes handed to gunzip at a time, so that a bomb is stopped early. */
const chunkBytes = 64 * 1024
/** Header and padding of an entry, beside its content. */
const overheadBytes = 1024

/** Unpacks a gzip-compressed tar: files, directories, symbolic and hard links; devices and the like are refused. */
export async function unpackTar(archive: Buffer, target: UnpackTarget): Promise<void> {
  const entries = extract()
  await Promise.all([
    pipeline(Readable.from(slices(archive)), createGunzip(), capped, entries),
    (async () => {
      for await (const entry of entries) {
        await unpackEntry(entry.header, entry as unknown as Content, target)
        entry.resume()
      }
    })(),
  ])
  target.finish()
}

async function unpackEntry({ name, type, linkname, mode }: Header, content: Content, target: UnpackTarget) {
  if (type === 'file' || type === 'contiguous-file') await target.file(name, (mode & 0o111) !== 0, content)
  else if (type === 'directory') target.directory(name)
  else if (type === 'symlink') target.link(name, linkname)
  else if (type === 'link') target.copy(name, linkname)
  else throw new Error(`entry of type ${type}: ${name}`)
}

function* slices(archive: Buffer): Generator<Buffer> {
  for (let start = 0; start < archive.length; start += chunkBytes) yield archive.subarray(start, start + chunkBytes)
}

/** Stops what would unpack without end before it becomes entries. */
async function* capped(unpacked: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytesLeft = bounds.archiveBytesMax + bounds.archiveEntriesMax * overheadBytes
  for await (const chunk of unpacked) {
    bytesLeft -= chunk.length
    if (bytesLeft < 0) throw new Error('the archive unpacks to too many bytes')
    yield chunk
  }
}
