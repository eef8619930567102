import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml'
import { bounds } from '../model/bounds.ts'
import type { Given, GivenEntry, Mistake } from './given.ts'

/** Reads a YAML file's text. Places are `file:line:column`, counted from 1. */
export function fromYaml(text: string, file: string, mistakes: Mistake[]): Given {
  const lines = new LineCounter()
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const nothing: Given = { kind: 'map', place: file, entries: [] }
  const { lineCharactersMax, bracketDepthMax } = bounds.config
  // The parser's time and memory grow with the depth: `- - - ...` on one line, or brackets over many.
  if (bracketDepth(text) > bracketDepthMax || text.split('\n').some(line => line.length > lineCharactersMax)) {
    const text = `nested more than ${bracketDepthMax} deep, or a line of more than ${lineCharactersMax} characters`
    mistakes.push({ place: file, text })
    return nothing
  }
  let document: Document.Parsed
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  } catch {
    // The composer is recursive: text nested thousands deep exhausts its stack.
    mistakes.push({ place: file, text: 'the file cannot be read as YAML' })
    return nothing
  }
  for (const error of document.errors) mistakes.push({ place: at(error.pos[0]), text: firstLine(error.message) })
  if (document.errors.length > 0 || document.contents === null) return nothing
  return nodeOf(document.contents, at, file, mistakes)
}

type Placed = { range?: readonly [number, number, number] | null }

function nodeOf(node: unknown, at: (offset: number) => string, outer: string, mistakes: Mistake[]): Given {
  const range = (node as Placed | null)?.range
  const place = range ? at(range[0]) : outer
  if (isAlias(node)) {
    // An alias may name what it is part of, and aliases of aliases grow without end; no setting needs one.
    mistakes.push({ place, text: 'aliases (*name) are not read: write the value here again' })
    return { kind: 'scalar', place, value: null, text: false }
  }
  if (isScalar(node)) return { kind: 'scalar', place, value: node.value, text: false }
  if (isSeq(node)) {
    return { kind: 'list', place, items: node.items.map(item => nodeOf(item, at, place, mistakes)) }
  }
  if (!isMap(node)) return { kind: 'scalar', place, value: null, text: false }
  const entries: GivenEntry[] = []
  for (const pair of node.items) {
    const keyRange = (pair.key as Placed | null)?.range
    const keyPlace = keyRange ? at(keyRange[0]) : place
    if (isScalar(pair.key) && typeof pair.key.value === 'string') {
      entries.push({ key: pair.key.value, place: keyPlace, node: nodeOf(pair.value, at, keyPlace, mistakes) })
    } else {
      mistakes.push({ place: keyPlace, text: 'names of settings must be plain words' })
    }
  }
  return { kind: 'map', place, entries }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text
}

/** The deepest nesting of brackets; those inside of texts count too, which only an attack would notice. */
function bracketDepth(text: string): number {
  let depth = 0
  let deepest = 0
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1
    deepest = Math.max(deepest, depth)
  }
  return deepest
}
