/** `npm start`: makes the clone ready and runs the hub in this process. Options come after `--`. */
import { setUp } from './setup.mjs'

await setUp()
const { main } = await import('../hub/dist/src/main.js')
await main(process.argv.slice(2))
