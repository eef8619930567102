/**
 * The public conformance data that lies beside the clone: how many cases there are, which tests go through them, and which
 * are answered differently on purpose. The counts are kept in test/data/conformance-data.json.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

export const dataCounts = join(root, 'test/data/conformance-data.json')
const data = join(root, '../shared/conformance')

/** Reasons by name, by suite or by file of a suite; the tests check that these cases do differ. */
const differences = JSON.parse(readFileSync(join(root, 'test/data/conformance-differences.json'), 'utf8'))

/** What the tests go through: a suite, a file of it, or the cases of a kind in a file. */
const parts = [
  {
    title: 'CESQL',
    suite: 'cesql',
    tests: ['cloudevents/src/filter/cesql/conformance.test.ts', 'test/api/cesql-rules.test.ts'],
  },
  {
    title: 'Subscriptions API',
    suite: 'subscriptions',
    file: 'filters.json',
    tests: ['cloudevents/src/filter/subscriptions.conformance.test.ts'],
  },
  {
    title: 'EventBridge patterns',
    suite: 'event-ruler',
    tests: ['cloudevents/src/filter/pattern/conformance.test.ts'],
  },
  ...['json', 'avro', 'protobuf', 'xml'].map(name => cloudevents(name, `formats/${name}/conformance.test.ts`)),
  ...['http', 'kafka', 'mqtt', 'amqp'].map(name => cloudevents(name, `bindings/${name}/conformance.test.ts`)),
  { ...cloudevents('http-webhook', 'bindings/http/webhook.test.ts'), kind: 'handshake' },
  {
    ...cloudevents('http-webhook'),
    kind: 'delivery-status',
    tests: ['core/src/controller/deliveries.conformance.test.ts'],
  },
]

function cloudevents(name, test) {
  const file = `${name}.json`
  return { title: `CloudEvents: ${file}`, suite: 'cloudevents', file, tests: [`cloudevents/src/${test}`] }
}

/** Cases by suite, file and kind (`""` for those without one), or nothing when the data is not beside the clone. */
export function countData() {
  if (!existsSync(data)) return undefined
  const suites = [...new Set(parts.map(({ suite }) => suite))]
  return Object.fromEntries(
    suites.map(suite => {
      const files = readdirSync(join(data, suite)).filter(file => /\.(json|yaml)$/.test(file))
      const counts = files.sort().map(file => [file, countByKind(readFileSync(join(data, suite, file), 'utf8'), file)])
      // A schema has no cases.
      return [suite, Object.fromEntries(counts.filter(([, kinds]) => Object.keys(kinds).length > 0))]
    }),
  )
}

function countByKind(text, file) {
  const kinds = file.endsWith('.yaml')
    ? [...text.matchAll(/^ *- name:/gm)].map(() => '')
    : (JSON.parse(text).cases ?? []).map(({ kind = '' }) => kind)
  const counts = {}
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

/** Lines of docs/conformance.md. */
export function dataSection() {
  const counts = JSON.parse(readFileSync(dataCounts, 'utf8'))
  const rows = parts.map(part => describePart(part, counts))
  const whole = sum(Object.values(counts).flatMap(files => Object.values(files).flatMap(Object.values)))
  const [tested, different] = [sum(rows.map(row => row.tested)), sum(rows.map(row => row.different))]
  const reasons = Object.entries(differences).flatMap(([part, cases]) =>
    Object.entries(cases).map(([name, reason]) => `- ${part}, "${name}": ${reason}`),
  )
  return [
    '',
    '## Public conformance data',
    '',
    'The tests go through every case of a file, each by its name. A case that is answered differently on purpose is a test',
    'too: it fails when the answer is no longer different.',
    '',
    '| Data | Cases | Tested | Different on purpose | Missing | By |',
    '|---|---|---|---|---|---|',
    ...rows.map(({ line }) => line),
    `| Together | ${whole} | ${tested} | ${different} | ${whole - tested - different} | |`,
    '',
    'Different on purpose:',
    '',
    ...reasons,
  ]
}

function describePart({ title, suite, file, kind, tests }, counts) {
  const files = file === undefined ? Object.values(counts[suite]) : [counts[suite][file] ?? {}]
  const cases = sum(files.flatMap(kinds => (kind === undefined ? Object.values(kinds) : [kinds[kind] ?? 0])))
  const present = tests.every(test => reads(test, file ?? suite))
  const own =
    kind === 'handshake' ? [] : Object.keys(differences[file === undefined ? suite : `${suite}/${file}`] ?? {})
  const different = present ? own.length : 0
  const tested = present ? cases - different : 0
  const by = tests.map(test => `\`${test}\``).join(', ')
  const name = kind === undefined ? title : `${title} (${kind})`
  return {
    line: `| ${name} | ${cases} | ${tested} | ${different} | ${cases - tested - different} | ${by} |`,
    tested,
    different,
  }
}

/** Whether a test is there and names the data. */
function reads(test, name) {
  const path = join(root, test)
  return existsSync(path) && readFileSync(path, 'utf8').includes(`'${name}'`)
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0)
}
