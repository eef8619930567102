/** What the tests with hostile input share: how much is sent, and what no answer may be. A find is repeated from its seed. */

/** Longer than any answer may take. */
export const answerMsMax = 1000

/** `SLUICE_TEST_SEED` and `SLUICE_TEST_CASES`, or these. */
export function amountOf(usual: { seed: number; cases: number }): { seed: number; cases: number } {
  return {
    seed: Number(process.env.SLUICE_TEST_SEED ?? usual.seed),
    cases: Number(process.env.SLUICE_TEST_CASES ?? usual.cases),
  }
}

/** Whether a text shows stacks or files of the hub. */
export function tellsInside(text: string): boolean {
  return /\bat \S+ \(|node_modules|\.[jt]s:\d+/.test(text)
}
