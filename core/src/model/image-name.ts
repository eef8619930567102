/** Names of container images, in Docker's reference grammar (runtimes.md §3.1). */

export type ImageName = {
  /** `host[:port]`; only a first part with a dot or a port is one. */
  readonly registry?: string
  readonly prefix?: string
  readonly name: string
  readonly tag?: string
}

const part = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const path = new RegExp(`^${part}(?:/${part})*$`)
const registry = /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:\d{1,5})?$/
const tag = /^\w[\w.-]{0,127}$/
const digest = /^[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/
const lengthMax = 512

/** The parts of an image's name, or nothing when it is none. A digest is checked and left out. */
export function parseImageName(text: string): ImageName | undefined {
  if (text.length > lengthMax) return undefined
  const [tagged = '', digestText, ...more] = text.split('@')
  if (more.length > 0 || (digestText !== undefined && !digest.test(digestText))) return undefined
  const slash = tagged.indexOf('/')
  const first = slash < 0 ? '' : tagged.slice(0, slash)
  const hasRegistry = /[.:]/.test(first)
  if (hasRegistry && !registry.test(first)) return undefined
  const [whole = '', tagText, ...rest] = (hasRegistry ? tagged.slice(slash + 1) : tagged).split(':')
  if (rest.length > 0 || (tagText !== undefined && !tag.test(tagText)) || !path.test(whole)) return undefined
  const last = whole.lastIndexOf('/')
  return {
    ...(hasRegistry ? { registry: first } : {}),
    ...(last < 0 ? {} : { prefix: whole.slice(0, last) }),
    name: whole.slice(last + 1),
    ...(tagText === undefined ? {} : { tag: tagText }),
  }
}

/** `[registry/][prefix/]name[:tag]`; no tag is added. */
export function printImageName(image: ImageName): string {
  const place = [image.registry, image.prefix, image.name].filter(text => text !== undefined && text !== '').join('/')
  return image.tag === undefined || image.tag === '' ? place : `${place}:${image.tag}`
}

/** A missing tag is `latest`. */
export function sameImage(a: ImageName, b: ImageName): boolean {
  const whole = (image: ImageName) => printImageName({ ...image, tag: image.tag ?? 'latest' })
  return whole(a) === whole(b)
}
