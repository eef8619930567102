import pc from 'picocolors'
import type { Screen } from './screen.ts'

/** Colours for this screen: none when it is no terminal, or when NO_COLOR asks for none. */
export function palette(screen: Screen): ReturnType<typeof pc.createColors> {
  return pc.createColors(screen.isTTY === true && pc.isColorSupported)
}
