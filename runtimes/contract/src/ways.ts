import { beforeEach, describe } from 'vitest'
import type { TestContainer, Way } from './container.ts'

export type Start = (env?: Record<string, string>) => Promise<TestContainer>

/** The same suite for each way to run a runtime; where one is not possible its tests are skipped and say why. */
export function describeWays(ways: readonly Way[], suite: (way: Way, start: Start) => void): void {
  for (const way of ways) {
    describe(way.name, () => {
      beforeEach(async context => {
        const missing = await way.missing()
        if (missing === undefined) return
        if (isRequired(missing)) throw new Error(`SLUICE_TEST_REQUIRE asks for it: ${missing}`)
        context.skip(missing)
      })
      suite(way, env => way.start({ env }))
    })
  }
}

/** `SLUICE_TEST_REQUIRE=docker,go` against reasons that begin `needs docker`. */
function isRequired(reason: string): boolean {
  const required = (process.env['SLUICE_TEST_REQUIRE'] ?? '').split(',').filter(name => name !== '')
  return required.some(name => reason.startsWith(`needs ${name}`))
}
