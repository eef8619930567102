import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** Packages resolve to their sources, so that unit tests need no build. */
const resolve = { conditions: ['@sluice/source', 'module', 'node', 'development|production'] }
const ssr = { resolve: { conditions: resolve.conditions, externalConditions: ['node'] } }

/** Named, because the search for one goes up beyond the clone. */
const tsconfig = join(import.meta.dirname, 'tsconfig.base.json')

export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr,
        tsconfig,
        test: {
          name: 'unit',
          include: [
            '{core,cloudevents,hub}/src/**/*.test.ts',
            '{runtimes,providers}/*/src/**/*.test.ts',
            'test/*.test.ts',
          ],
          exclude: ['**/dist/**', '**/node_modules/**', '**/*.contract.test.ts', '**/*.long.test.ts'],
          testTimeout: 10_000,
        },
      },
      {
        resolve,
        ssr,
        tsconfig,
        test: {
          name: 'contract',
          include: ['{core,hub}/src/**/*.contract.test.ts', '{runtimes,providers}/*/src/**/*.contract.test.ts'],
          exclude: ['**/dist/**', '**/node_modules/**'],
          testTimeout: 30_000,
        },
      },
      {
        resolve,
        ssr,
        tsconfig,
        test: {
          name: 'system',
          include: ['test/{api,hub}/**/*.test.ts'],
          // `scripts/test.mjs` says what and why.
          exclude: ['**/*.long.test.ts', ...(process.env.SLUICE_TEST_LEAVE_OUT ?? '').split(',').filter(Boolean)],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        resolve,
        ssr,
        tsconfig,
        test: {
          name: 'long',
          include: ['test/**/*.long.test.ts', 'cloudevents/src/**/*.long.test.ts'],
          testTimeout: 3_600_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
