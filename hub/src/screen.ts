/** Where lines for people go: stdout, stderr, or a test's recorder. */
export type Screen = { write(text: string): unknown; readonly isTTY?: boolean }
