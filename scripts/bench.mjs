/** `npm run bench`: makes the clone ready and runs the benchmarks in a process of their own. Options come after `--`. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root, setUp } from './setup.mjs'

await setUp()
const child = spawn(process.execPath, [join(root, 'bench/main.mjs'), ...process.argv.slice(2)], { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('close', code => (process.exitCode = code ?? 1))
