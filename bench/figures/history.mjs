import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedBackend } from '@sluice/core/backend/embedded'
import { systemClock, systemRandom } from '@sluice/core/spi'
import { startHub } from '../hub.mjs'
import { serial } from '../load.mjs'

/** Reads with 100,000 stored activations. */
export async function history({ quick }) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  const dataDir = join(folder, 'data')
  const total = quick ? 10_000 : 100_000
  try {
    await (await startHub({ dataDir })).stop()
    const ids = await fill(join(dataDir, 'db'), total)
    const hub = await startHub({ dataDir })
    try {
      const before = hub.rssMb()
      const calls = quick ? 100 : 500
      const list = await serial(calls, i => hub.must('GET', `activations?limit=200&skip=${i % 1000}`))
      const named = await serial(calls, i => hub.must('GET', `activations?limit=200&name=a${i % 10}`))
      const get = await serial(calls, i => hub.must('GET', `activations/${ids[(i * 7919) % ids.length]}`))
      const count = await serial(20, () => hub.must('GET', 'activations?count=true'))
      return {
        'list 200 of 100,000 activations, p99 ms': list.p(99),
        'list 200 by name, p99 ms': named.p(99),
        'get one of 100,000 activations, p99 ms': get.p(99),
        'count 100,000 activations, p50 ms': count.p(50),
        'memory more after these reads, MB': hub.rssMb() - before,
      }
    } finally {
      await hub.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function fill(directory, total) {
  const silent = { error() {}, warn() {}, info() {}, debug() {}, child: () => silent }
  const backend = await openEmbeddedBackend({
    directory,
    clock: systemClock,
    random: systemRandom,
    log: silent,
    onFatal() {},
  })
  const ids = []
  for (let from = 0; from < total; from += 1000) {
    const records = Array.from({ length: 1000 }, (_, i) => record(from + i))
    ids.push(...records.map(({ activationId }) => activationId))
    await backend.activations.insertMany(records)
  }
  await backend.close()
  return ids
}

function record(index) {
  const start = Date.now() - 3_600_000 + index
  return {
    namespace: 'guest',
    name: `a${index % 10}`,
    version: '0.0.1',
    subject: 'guest',
    activationId: systemRandom.hexId(),
    start,
    end: start + 3,
    duration: 3,
    response: { statusCode: 0, result: { text: 'x'.repeat(400) }, size: 411 },
    logs: [],
    annotations: [
      { key: 'path', value: `guest/a${index % 10}` },
      { key: 'kind', value: 'nodejs:20' },
    ],
    publish: false,
  }
}
