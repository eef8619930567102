/** Runs one provider alone: `node scripts/provider-host.mjs --provider alarms --hub http://127.0.0.1:3233 …`. */
import { setUp } from './setup.mjs'

await setUp()
const { main } = await import('../hub/dist/src/provider-host-main.js')
await main(process.argv.slice(2))
