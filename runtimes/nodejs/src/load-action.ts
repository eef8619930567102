import { LoadError } from './errors.ts'
import { messages } from './messages.ts'

/** What the platform calls: `main(params, context)`, whatever of the two it declares. */
export type Entry = (params: object, context: object) => unknown

/** Code as /init brings it: source text, or base64 of an archive where `binary` is set (runtimes.md §4.3). */
export type ActionCode = { readonly main: string; readonly code: string; readonly binary: boolean }

/** Turns code into its entry function. Rejects with LoadError or whatever the code itself threw while loading. */
export type LoadAction = (action: ActionCode) => Promise<Entry>

/** Loads any of the forms; each is imported when its first action arrives, because the start must be quick. */
export const loadAction: LoadAction = async ({ main, code, binary }) => {
  const entry = binary
    ? await (await import('./load-archive.ts')).loadArchive(code, main)
    : await (await import('./load-text.ts')).loadText(code, main)
  if (typeof entry !== 'function') throw new LoadError(messages.entryNotFunction(main))
  return entry as Entry
}
