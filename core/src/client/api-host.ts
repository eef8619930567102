import { SluiceError } from '../model/index.ts'

/**
 * The origin that an `apihost` means: `host`, `host:port`, `http://…` or `https://…`, with or without a path or a
 * trailing slash; without a scheme it is https (feeds.md §1.6, P28). Throws SLUICE_REQUEST for anything else.
 */
export function originOf(apihost: string): string {
  const text = apihost.trim()
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
  const full = hasScheme ? text : `https://${text}`
  const parsed = URL.canParse(full) ? new URL(full) : null
  if (parsed === null || parsed.hostname === '' || !/^https?:$/.test(parsed.protocol)) {
    throw new SluiceError(
      'SLUICE_REQUEST',
      `apihost '${text.replace(/\/\/[^/]*@/, '//')}' is not a host, host:port or http(s) URL`,
    )
  }
  return parsed.origin
}
