/** The one element inside `data`, cut out of the document as it is spelled, so that it stands alone afterwards. */
import type { SaxesTagNS } from 'saxes'
import { CloudEventError } from '../../error.ts'
import { escaped } from './escape.ts'
import { instanceNamespace } from './names.ts'

/** Told of every element in `data`, whose depth is 1 for the outermost. */
export type Fragment = {
  begin(depth: number, position: number): void
  open(tag: SaxesTagNS, depth: number, resolve: (prefix: string) => string | undefined): void
  close(depth: number, position: number): void
  text(): string
}

export function createFragment(document: string): Fragment {
  let start = -1
  let end = -1
  let rootName = ''
  /** Prefixes that each open element declares. */
  const declared: (readonly string[])[] = []
  /** Namespaces from outside that names in here rely on. */
  const needed = new Map<string, string>()

  const need = (prefix: string, uri: string | undefined) => {
    if (prefix === 'xml' || uri === undefined || uri === '') return
    if (!declared.some(prefixes => prefixes.includes(prefix))) needed.set(prefix, uri)
  }

  return {
    begin(depth, position) {
      if (depth !== 1) return
      if (start >= 0) throw new CloudEventError('data', 'xml', { detail: 'it has more than one element' })
      start = document.lastIndexOf('<', position - 1)
    },
    open(tag, depth, resolve) {
      if (depth === 1) rootName = tag.name
      declared.push(Object.keys(tag.ns))
      need(tag.prefix, tag.uri)
      for (const name in tag.attributes) {
        const attribute = tag.attributes[name]
        if (attribute === undefined || name === 'xmlns' || attribute.prefix === 'xmlns') continue
        if (attribute.prefix !== '') need(attribute.prefix, attribute.uri)
        const typePrefix = attribute.uri === instanceNamespace ? /^([^:]+):/.exec(attribute.value)?.[1] : undefined
        if (typePrefix !== undefined) need(typePrefix, resolve(typePrefix))
      }
    },
    close(depth, position) {
      declared.pop()
      if (depth === 1) end = position
    },
    text() {
      if (end < 0) throw new CloudEventError('data', 'xml', { detail: 'it has no element' })
      const spelled = document.slice(start, end)
      const declarations = [...needed].map(
        ([prefix, uri]) => ` ${prefix === '' ? 'xmlns' : `xmlns:${prefix}`}="${escaped(uri).replace(/"/g, '&quot;')}"`,
      )
      const nameEnd = 1 + rootName.length
      return spelled.slice(0, nameEnd) + declarations.join('') + spelled.slice(nameEnd)
    },
  }
}
