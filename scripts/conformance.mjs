/**
 * `node scripts/conformance.mjs`: writes docs/conformance.md, which says of every case of the contracts whether a test
 * carries its id, and of public conformance data how much of it the tests go through. The cases are kept in
 * test/data/contract-cases.json; where the contracts lie beside the clone, that file is brought up to date first.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { countData, dataCounts, dataSection } from './conformance-data.mjs'
import { root } from './setup.mjs'

export const page = join(root, 'docs/conformance.md')
export const caseList = join(root, 'test/data/contract-cases.json')
const contracts = join(root, '../shared/spec')

/** Sections of the contracts that this version of Sluice is built to, and how their cases are found. */
const sections = [
  { family: 'rest', title: 'REST API', file: 'rest-api.md', row: /^\| (\d+) \|/, from: /^## 13\./ },
  { family: 'runtime', title: 'Runtime protocol', file: 'runtimes.md', row: /^\| (PROTO-[\d.]+) \|/ },
  { family: 'runtime', title: 'Node.js 20 runtime', file: 'runtimes.md', row: /^\| (NODE-\d+) \|/ },
  { family: 'runtime', title: 'Python 3.11 runtime', file: 'runtimes.md', row: /^\| (PY-\d+) \|/ },
  { family: 'runtime', title: 'ActionLoop proxy', file: 'runtimes.md', row: /^\| (AL-\d+) \|/ },
  // The first twelve are rows of another table, which the heading gives their ids.
  {
    family: 'runtime',
    title: 'Docker skeleton',
    file: 'runtimes.md',
    row: /^(?:\||### R-SKEL .* as) (SKEL-[\d.]+)[ ,]/,
  },
  { family: 'runtime', title: 'Manifest and exec', file: 'runtimes.md', row: /^\| (MAN-\d+) \|/ },
  { family: 'runtime', title: 'Actions in a whole system', file: 'runtimes.md', row: /^\| (SYS-\d+) \|/ },
  { family: 'platform', title: 'Answers of containers', file: 'platform.md', row: /^\| (RSP-\d+) \|/ },
  { family: 'feed', title: 'Feed protocol', file: 'feeds.md', row: /^\| (P\d+) \|/, from: /^### 6\.0 / },
  { family: 'feed', title: 'Alarms', file: 'feeds.md', row: /^\| (A\d+) \|/, from: /^### 6\.1 / },
  { family: 'rel', title: 'Reliability', file: 'reliability.md', row: /^\*\*(R(?:1|2|8|17|18|21|22)) / },
  { family: 'sec', title: 'Containers', file: 'reliability.md', row: /^\*\*(S(?:9|10|11|12)) / },
  { family: 'sec', title: 'Hostile input', file: 'reliability.md', row: /^\*\*(S[35]) / },
]

/** Cases that are tested for something else than the contract's words, with the reason. */
const different = {
  'rel:R18':
    'A hub in one process has nothing outside of itself to wait for. Tested is that a start under load refuses or serves, and fails nothing.',
  'rel:R1': 'The form for change: 12 kills in `npm test`, 60 in `npm run test:long`, of the one process there is.',
  'rel:R8': 'The engine is away for 5 s; for a minute with `SLUICE_TEST_ENGINE_AWAY_MS=60000`.',
  'runtime:MAN-02':
    'The manifest is part of the program: a wrong one is refused when it is read, and there is no other.',
  'platform:RSP-22': 'A run that found nobody to be sent to takes another container, and is a whisk error after three.',
  'platform:RSP-23': 'Paused for moments. Neither side ends an idle connection, however long it is idle.',
  'feed:P25': 'It disables itself and says why. Nothing sweeps it away later.',
  'sec:S9':
    'The probe is an action of one runtime: what it meets, the settings of its container, is the same for all. Its 34 attempts and what came of each are in [security.md](security.md).',
}

/** Cases of parts that come later. */
const later = {
  'rest:90': 'running sequences',
  ...Object.fromEntries(range(154, 160).map(number => [`rest:${number}`, 'the admin tool'])),
  'feed:A63': 'limits that are spread over time',
}

/** The page for the titles that are in the sources now. */
export function conformancePage() {
  const cases = JSON.parse(readFileSync(caseList, 'utf8'))
  const tested = testedIds()
  const parts = sections.map(section => describeSection(section, cases[section.title], tested))
  return [
    '# Conformance',
    '',
    'Which cases of the contracts are tests. Written by `npm run docs` from the ids in the titles of tests',
    '(`[rest:75]`); a test keeps this page true. That the tests pass is what `npm test` says.',
    '',
    '| Section | Cases | Tested | Later | Missing |',
    '|---|---|---|---|---|',
    ...parts.map(({ title, counts }) => `| ${title} | ${counts.join(' | ')} |`),
    '',
    'Further ids in titles name cases of sections that are not part of this version as a whole.',
    ...parts.flatMap(({ text }) => text),
    ...dataSection(),
    '',
  ].join('\n')
}

/** Ids in the titles of tests, each with the files it is in. */
export function testedIds() {
  const found = new Map()
  for (const file of testSources(root)) {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      if (/^\s*(\/\/|\/?\*)/.test(line)) continue
      for (const [, id] of line.matchAll(/\[([a-z][a-z-]*:[A-Za-z]*-?\d+)\]/g)) {
        const files = found.get(id) ?? new Set()
        found.set(id, files.add(relative(root, file)))
      }
    }
  }
  return found
}

/** The cases as the contracts have them, or nothing when they are not beside the clone. */
export function readContracts() {
  if (!existsSync(contracts)) return undefined
  const cases = {}
  for (const { title, file, row, from } of sections) {
    const lines = readFileSync(join(contracts, file), 'utf8').split('\n')
    const start = from === undefined ? 0 : lines.findIndex(line => from.test(line))
    const rest = lines.slice(start)
    const depth = from === undefined ? undefined : /^#+/.exec(rest[0])[0].length
    const end = rest.findIndex((line, index) => index > 0 && depth !== undefined && isHeading(line, depth))
    const own = end < 0 ? rest : rest.slice(0, end)
    cases[title] = [...new Set(own.flatMap(line => spread(row.exec(line)?.[1])))]
  }
  return cases
}

function describeSection({ family, title }, ids, tested) {
  const withFamily = ids.map(id => `${family}:${id}`)
  const present = withFamily.filter(id => tested.has(id))
  const postponed = withFamily.filter(id => !tested.has(id) && later[id] !== undefined)
  const missing = withFamily.filter(id => !tested.has(id) && later[id] === undefined)
  const otherwise = present.filter(id => different[id] !== undefined)
  const text = ['', `## ${title}`, '', `Tested: ${list(present)}.`]
  if (otherwise.length > 0)
    text.push('', 'Tested differently on purpose:', '', ...otherwise.map(id => `- ${id}: ${different[id]}`))
  if (postponed.length > 0) text.push('', 'Later, with:', '', ...postponed.map(id => `- ${id}: ${later[id]}`))
  if (missing.length > 0) text.push('', `Missing: ${list(missing)}.`)
  return { title, text, counts: [ids.length, present.length, postponed.length, missing.length] }
}

/** `rest:1–14, 16`: neighbours are drawn together. */
function list(ids) {
  if (ids.length === 0) return 'none'
  const runs = []
  for (const id of ids) {
    const [, head, digits] = /^(.*?)(\d+)$/.exec(id)
    const last = runs.at(-1)
    if (last?.head === head && Number(digits) === last.to + 1)
      Object.assign(last, { to: Number(digits), toDigits: digits })
    else runs.push({ head, digits, to: Number(digits), toDigits: digits })
  }
  return runs
    .map(({ head, digits, toDigits }) => (digits === toDigits ? `${head}${digits}` : `${head}${digits}–${toDigits}`))
    .join(', ')
}

/** `PROTO-01..10` stands for ten cases. */
function spread(id) {
  if (id === undefined) return []
  const [, head, from, to] = /^(.*?)(\d+)\.\.(\d+)$/.exec(id) ?? []
  if (to === undefined) return [id]
  return range(Number(from), Number(to)).map(number => head + String(number).padStart(from.length, '0'))
}

function range(from, to) {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}

function isHeading(line, depth) {
  const marks = /^(#+) /.exec(line)
  return marks !== null && marks[1].length <= depth
}

function testSources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    if (entry.name.startsWith('.') || ['node_modules', 'dist'].includes(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return testSources(path)
    return /\.test\.ts$/.test(entry.name) || (/\/contract\//.test(path) && entry.name.endsWith('.ts')) ? [path] : []
  })
}

/** Brings what is kept of contracts and data up to date, where they lie beside the clone. */
export function refreshCounts() {
  const cases = readContracts()
  if (cases) writeFileSync(caseList, `${JSON.stringify(cases)}\n`)
  const counts = countData()
  if (counts) writeFileSync(dataCounts, `${JSON.stringify(counts)}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  refreshCounts()
  writeFileSync(page, conformancePage())
  process.stdout.write('docs/conformance.md\n')
}
