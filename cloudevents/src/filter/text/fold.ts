/** Comparing without case (equals-ignore-case): both sides folded are equal. Also `ß` and `SS`, `ς` and `Σ`. */
export function fold(text: string): string {
  return text.toLowerCase().toUpperCase()
}
