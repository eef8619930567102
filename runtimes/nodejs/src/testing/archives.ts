import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { pack, type Header } from 'tar-stream'
import { ZipFile } from 'yazl'

/** What an archive holds, by name; `link` is a symbolic link's target. */
export type Files = Record<string, string | Buffer | { link: string }>

/** A zip as base64, the way an action is uploaded. */
export async function zip(files: Files, options: { compress?: boolean } = {}): Promise<string> {
  const archive = new ZipFile()
  for (const [name, content] of Object.entries(files)) {
    const link = isLink(content)
    const bytes = Buffer.from(link ? content.link : content)
    archive.addBuffer(bytes, name, { mode: link ? 0o120777 : 0o100644, compress: options.compress ?? true })
  }
  archive.end()
  return (await buffer(archive.outputStream)).toString('base64')
}

/** A tar.gz as base64. Names are taken as they are. */
export async function tarGz(files: Files, more: (Partial<Header> & { name: string })[] = []): Promise<string> {
  const archive = pack()
  for (const [name, content] of Object.entries(files)) {
    if (isLink(content)) archive.entry({ name, type: 'symlink', linkname: content.link })
    else archive.entry({ name }, content)
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

function isLink(content: Files[string]): content is { link: string } {
  return typeof content === 'object' && 'link' in content
}
