import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { pack, type Header } from 'tar-stream'
import { ZipFile } from 'yazl'

/** What an archive holds, by name; `link` is a symbolic link's target, `program` an executable file. */
export type Files = Record<string, string | Buffer | { link: string } | { program: string | Buffer }>

/** A zip as base64, the way an action is uploaded. */
export async function zip(files: Files, options: { compress?: boolean } = {}): Promise<string> {
  const archive = new ZipFile()
  for (const [name, content] of Object.entries(files)) {
    const { bytes, mode } = entryOf(content)
    archive.addBuffer(bytes, name, { mode, compress: options.compress ?? true })
  }
  archive.end()
  return (await buffer(archive.outputStream)).toString('base64')
}

/** A tar.gz as base64. Names are taken as they are. */
export async function tarGz(files: Files, more: (Partial<Header> & { name: string })[] = []): Promise<string> {
  const archive = pack()
  for (const [name, content] of Object.entries(files)) {
    const { bytes, mode, link } = entryOf(content)
    if (link === undefined) archive.entry({ name, mode: mode & 0o777 }, bytes)
    else archive.entry({ name, type: 'symlink', linkname: link })
  }
  for (const header of more) archive.entry(header)
  archive.finalize()
  return gzipSync(await buffer(archive)).toString('base64')
}

/** Gives an entry another name of the same length, which zip writers would refuse. */
export function renameEntry(archive: string, from: string, to: string): string {
  const bytes = Buffer.from(archive, 'base64').toString('latin1').replaceAll(from, to)
  return Buffer.from(bytes, 'latin1').toString('base64')
}

function entryOf(content: Files[string]): { bytes: Buffer; mode: number; link?: string } {
  if (typeof content === 'string' || Buffer.isBuffer(content)) return { bytes: Buffer.from(content), mode: 0o100644 }
  if ('link' in content) return { bytes: Buffer.from(content.link), mode: 0o120777, link: content.link }
  return { bytes: Buffer.from(content.program), mode: 0o100755 }
}
