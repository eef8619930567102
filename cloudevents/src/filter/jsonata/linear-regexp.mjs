/** A RegExp as JSONata uses it, on an engine that takes linear time whatever the expression. Look-around and
 *  back-references, which no such engine has, are errors. */
import { RE2JS } from 're2js'

/** Compiled expressions: compiling takes up to 5 ms. */
const compiled = new Map()
const compiledMax = 500

export class LinearRegExp {
  lastIndex = 0
  #pattern
  #text
  #matcher

  /** @param {RegExp} expression what the parser of JSONata made; it is never run */
  constructor(expression) {
    this.#pattern = compileLinear(expression)
  }

  /** From `lastIndex` on, which then is behind the match. */
  exec(text) {
    if (this.#text !== text) {
      this.#text = text
      this.#matcher = this.#pattern.matcher(text)
    }
    const matcher = this.#matcher
    if (this.lastIndex > text.length || !matcher.find(this.lastIndex)) {
      this.lastIndex = 0
      return null
    }
    const match = Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group) ?? undefined)
    match.index = matcher.start()
    this.lastIndex = matcher.end()
    return match
  }
}

/** Throws when the engine does not know the expression. */
export function compileLinear(expression) {
  const key = String(expression)
  let pattern = compiled.get(key)
  if (pattern === undefined) {
    const flags = (expression.ignoreCase ? RE2JS.CASE_INSENSITIVE : 0) | (expression.multiline ? RE2JS.MULTILINE : 0)
    pattern = RE2JS.compile(RE2JS.translateRegExp(expression.source), flags)
    if (compiled.size >= compiledMax) compiled.delete(compiled.keys().next().value)
    compiled.set(key, pattern)
  }
  return pattern
}
