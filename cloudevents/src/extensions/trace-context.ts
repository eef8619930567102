/** Syntax of the W3C trace context's two values (Trace Context §3.2 and §3.3). */

/** `00-<trace id>-<parent id>-<flags>` in lower-case hex, ids not zero. Later versions may have more after that. */
export function isTraceparent(text: string): boolean {
  const found = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/.exec(text)
  if (found === null) return false
  const [, version, trace = '', parent = '', rest] = found
  return version !== 'ff' && !/^0+$/.test(trace) && !/^0+$/.test(parent) && (version !== '00' || rest === undefined)
}

/** At most 32 members `key=value`, each key once. */
export function isTracestate(text: string): boolean {
  const members = text
    .split(',')
    .map(member => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter(member => member !== '')
  if (members.length === 0 || members.length > 32) return false
  return members.every(isMember) && new Set(members.map(member => member.split('=', 1)[0])).size === members.length
}

function isMember(member: string): boolean {
  return /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/.test(
    member,
  )
}
