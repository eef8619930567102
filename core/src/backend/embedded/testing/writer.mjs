/**
 * Writes to the backend in `directory` until it is killed, and prints what has been acknowledged, one line each.
 * Usage: node writer.mjs <directory> <round> [sabotage]
 */
import { openEmbeddedBackend } from '@sluice/core/backend/embedded'
import { systemClock, systemRandom } from '@sluice/core/spi'
import { writeSync } from 'node:fs'

const [directory, round, sabotage] = process.argv.slice(2)
const log = { error: console.error, warn: console.error, info() {}, debug() {}, child: () => log }
const onFatal = error => {
  console.error(error)
  process.exit(1)
}

const backend = await openEmbeddedBackend({
  directory,
  clock: systemClock,
  random: systemRandom,
  log,
  onFatal,
  sabotage,
})
backend.startMaintenance()
writeSync(1, 'ready\n')

/** Some are small, some span several blocks of the database's log. */
const filler = at => 'x'.repeat(at % 10 === 0 ? 40_000 : 300)

async function write(writer) {
  for (let at = 0; ; at++) {
    const id = `${round}-${writer}-${at}`
    const activationId = id.padStart(32, '0')
    const record = { namespace: 'guest', name: 'hello', version: '0.0.1', subject: 'guest', activationId, start: at }
    await Promise.all([
      backend.bus.publish('fires', [{ key: id, body: Buffer.from(JSON.stringify({ id, filler: filler(at) })) }]),
      backend.activations.insert({
        ...record,
        response: { statusCode: 0, result: { filler: filler(at) } },
        logs: [],
        annotations: [],
        publish: false,
      }),
      backend.state.put(`writers/${id}`, { id }),
    ])
    writeSync(1, `${id}\n`)
  }
}

for (let writer = 0; writer < 4; writer++) void write(writer)
