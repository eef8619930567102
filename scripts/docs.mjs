/** `npm run docs`: writes the pages that are made from the code. A test compares them with what lies in docs/. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { conformancePage, refreshCounts } from './conformance.mjs'
import { root, setUp } from './setup.mjs'

await setUp()
const { configurationReference } = await import('../core/dist/src/config/index.js')
const { errorReference } = await import('../core/dist/src/model/index.js')
refreshCounts()
const pages = {
  'docs/reference/configuration.md': configurationReference(),
  'docs/reference/errors.md': errorReference(),
  'docs/conformance.md': conformancePage(),
}
mkdirSync(join(root, 'docs/reference'), { recursive: true })
for (const [page, text] of Object.entries(pages)) {
  writeFileSync(join(root, page), text)
  process.stdout.write(`${page}\n`)
}
