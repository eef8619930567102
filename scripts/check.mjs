/** `npm run check`: types, lint, format and structure: all that a reviewer would run. Every part runs, also after a failure. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root, setUp } from './setup.mjs'

const parts = [
  { name: 'types', tool: 'typescript/bin/tsc', args: ['-p', 'tsconfig.check.json'] },
  { name: 'lint', tool: 'eslint/bin/eslint.js', args: ['.', '--max-warnings=0'] },
  { name: 'format', tool: 'prettier/bin/prettier.cjs', args: ['--check', '--log-level=warn', '.'] },
  {
    name: 'structure',
    tool: 'vitest/vitest.mjs',
    args: ['run', '--project', 'unit', 'test/tidy.test.ts', 'test/docs.test.ts'],
  },
]

await setUp({ build: false })
const failed = []
for (const { name, tool, args } of parts) {
  const startedMs = Date.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules', tool), ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const took = `${((Date.now() - startedMs) / 1000).toFixed(1)} s`
  process.stdout.write(`${name}: ${status === 0 ? 'ok' : 'FAILED'} (${took})\n`)
  if (status === 0) continue
  failed.push(name)
  process.stdout.write(`${stdout}${stderr}\n`)
}
if (failed.length > 0) {
  process.stdout.write(`check failed: ${failed.join(', ')}\n`)
  process.exitCode = 1
}
