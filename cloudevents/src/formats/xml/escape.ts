/** Text as it stands between tags: a carriage return would come back as a line feed. */
export function escaped(text: string): string {
  return /[&<>\r]/.test(text) ? text.replace(/[&<>\r]/g, character => references[character] as string) : text
}

const references: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' }

/** Whether XML 1.0 can carry the text: it has no control characters besides tab and line breaks. */
export function isXmlText(text: string): boolean {
  return !/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text)
}
