/** Which characters a CloudEvents String may have (core §3.1). */

export type TextFault = 'control' | 'surrogate' | 'noncharacter'

/** The first thing that a String must not contain, or nothing. `breaksAllowed`: TAB, LF and CR pass. */
export function textFault(text: string, breaksAllowed = false): TextFault | undefined {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit >= 0x20 && unit < 0x7f) continue
    if (unit < 0xa0) {
      if (breaksAllowed && (unit === 0x09 || unit === 0x0a || unit === 0x0d)) continue
      return 'control'
    }
    if (unit < 0xd800) continue
    if (unit <= 0xdfff) {
      const next = text.charCodeAt(at + 1)
      if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return 'surrogate'
      // The last two code points of each plane: xx FFFE and xx FFFF.
      if ((next & 0x3fe) === 0x3fe && (unit & 0x3f) === 0x3f) return 'noncharacter'
      at++
    } else if ((unit >= 0xfdd0 && unit <= 0xfdef) || unit >= 0xfffe) return 'noncharacter'
  }
  return undefined
}

/** Whether the text can be written as UTF-8 without loss: it has no unpaired surrogate. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text)
}
