import { closeSync, copyFileSync, mkdirSync, openSync, realpathSync, symlinkSync, writeSync } from 'node:fs'
import { dirname, isAbsolute, join, sep } from 'node:path'
import { bounds } from './bounds.ts'

/** An archive's file, piece by piece. */
export type Content = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/**
 * Writes an archive's entries below one folder, whatever the archive says (runtimes.md §4.3): no absolute names, no
 * `..`, no links that leave the folder, no more entries and bytes than the bounds. Links are made when all files are
 * written, so that nothing is ever written through one. Everything here throws on the first offence.
 */
export class UnpackTarget {
  readonly #folder: string
  readonly #made = new Set<string>()
  readonly #links = new Map<string, string>()
  readonly #copies = new Map<string, string>()
  #entries = 0
  #bytes = 0

  /** `folder` must be a real path: links are compared with it. */
  constructor(folder: string) {
    this.#folder = folder
  }

  directory(name: string): void {
    this.#makeFolder(this.#enter(name))
  }

  async file(name: string, executable: boolean, content: Content): Promise<void> {
    const path = this.#enter(name)
    this.#makeFolder(dirname(path))
    const file = openSync(path, 'w', executable ? 0o755 : 0o644)
    try {
      for await (const chunk of content) {
        this.#count(chunk.length)
        for (let rest = chunk; rest.length > 0;) rest = rest.subarray(writeSync(file, rest))
      }
    } finally {
      closeSync(file)
    }
  }

  /** A symbolic link; `to` is relative to the place of the link. */
  link(name: string, to: string): void {
    const path = this.#enter(name)
    if (isAbsolute(to)) throw new Error(`link leaves the archive: ${to}`)
    this.#links.set(path, to)
  }

  /** A second name of a file in the archive; it becomes a copy. */
  copy(name: string, of: string): void {
    this.#copies.set(this.#enter(name), this.#path(of))
  }

  /** Makes the links and checks where they really lead. Call once, after the last entry. */
  finish(): void {
    for (const [path, of] of this.#copies) {
      this.#makeFolder(dirname(path))
      copyFileSync(of, path)
    }
    for (const [path, to] of this.#links) {
      for (let above = dirname(path); this.#contains(above); above = dirname(above)) {
        if (this.#links.has(above)) throw new Error('an entry lies below a link')
      }
      this.#makeFolder(dirname(path))
      symlinkSync(to, path)
    }
    for (const [path, to] of this.#links) this.#checkLink(path, to)
  }

  /** Follows a link step by step, so that one to nothing (yet) is judged as well. */
  #checkLink(path: string, to: string): void {
    let place = dirname(path)
    for (const step of to.split('/')) {
      place = step === '..' ? dirname(place) : realPath(join(place, step))
      if (!this.#contains(place)) throw new Error(`link leaves the archive: ${to}`)
    }
  }

  #enter(name: string): string {
    if (++this.#entries > bounds.archiveEntriesMax) throw new Error(`more than ${bounds.archiveEntriesMax} entries`)
    return this.#path(name)
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > bounds.archiveBytesMax) throw new Error(`more than ${bounds.archiveBytesMax} bytes unpacked`)
  }

  #path(name: string): string {
    if (isAbsolute(name) || name.split('/').includes('..')) throw new Error(`name leaves the archive: ${name}`)
    return join(this.#folder, name)
  }

  #contains(path: string): boolean {
    return path === this.#folder || path.startsWith(this.#folder + sep)
  }

  #makeFolder(path: string): void {
    if (this.#made.has(path)) return
    mkdirSync(path, { recursive: true })
    this.#made.add(path)
  }
}

/** Where a path leads, as far as there is something. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
