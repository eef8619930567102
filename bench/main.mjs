/**
 * `npm run bench -- [--only invoke,fire,start,history,alarms,cloudevents,docker,filters] [--runs 3] [--quick] [--save] [--json FILE]`: prints each
 * figure (median of the runs) beside its target and the saved baseline. Never judges: a slow machine is no failure.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { alarms } from './figures/alarms.mjs'
import { cloudevents } from './figures/cloudevents.mjs'
import { docker, engineAnswers } from './figures/docker.mjs'
import { filters } from './figures/filters.mjs'
import { fire } from './figures/fire.mjs'
import { history } from './figures/history.mjs'
import { invoke } from './figures/invoke.mjs'
import { start } from './figures/start.mjs'
import { median } from './load.mjs'
import { targets } from './targets.mjs'

const figures = { invoke, fire, start, history, alarms, cloudevents, docker, filters }
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    runs: { type: 'string' },
    quick: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(`Measures the hub on this machine.

  npm run bench                                everything, medians of 3 runs (about 15 minutes)
  npm run bench -- --only invoke --runs 1      one group, once
  npm run bench -- --quick                     short forms, to see that it works
  npm run bench -- --save                      keep the figures as the new baseline
  npm run bench -- --json FILE                 write them to a file

Groups: ${Object.keys(figures).join(', ')}`)
  process.exit(0)
}

const baselineFile = new URL('./baseline.json', import.meta.url)
const baseline = readBaseline()
const wanted = values.only?.split(',') ?? Object.keys(figures)
const runs = Number(values.runs ?? (values.quick ? 1 : 3))
const machine = {
  cpu: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  loadBefore: loadavg()[0],
  at: new Date().toISOString(),
  runs,
  quick: values.quick,
}
console.log(
  `${machine.cpu}, ${machine.memoryGb} GB, Node ${machine.node}, load ${machine.loadBefore.toFixed(1)}, medians of ${runs}\n`,
)

const results = {}
for (const name of wanted) {
  const figure = figures[name]
  if (!figure) throw new Error(`There is no group ${name}; there are ${Object.keys(figures).join(', ')}.`)
  if (name === 'docker' && !engineAnswers()) {
    console.log('  docker: left out, because no engine answers (docker version)')
    continue
  }
  const all = []
  // The alarms take minutes and measure a distribution: once is enough.
  for (let run = 0; run < (name === 'alarms' ? 1 : runs); run++) {
    process.stderr.write(`${name} ${run + 1} ...\n`)
    all.push(await figure(values))
  }
  for (const key of Object.keys(all[0])) results[key] = median(all.map(result => result[key]))
  print(Object.keys(all[0]))
}
if (values.json) writeFileSync(values.json, JSON.stringify({ machine, results }, undefined, 2))
if (values.save)
  writeFileSync(
    baselineFile,
    `${JSON.stringify({ machine, results: { ...baseline.results, ...results } }, undefined, 2)}\n`,
  )

function print(keys) {
  for (const key of keys) {
    const [sign, target] = targets[key] ?? []
    const value = results[key]
    const kept = target === undefined ? ' ' : (sign === '<=' ? value <= target : value >= target) ? '+' : '-'
    const before = baseline.results[key]
    console.log(
      `${kept} ${key.padEnd(52)} ${number(value).padStart(10)}  ${target === undefined ? ''.padEnd(14) : `target ${sign} ${target}`.padEnd(14)}${before === undefined ? '' : `  baseline ${number(before)}`}`,
    )
  }
}

function number(value) {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2)
}

function readBaseline() {
  try {
    return JSON.parse(readFileSync(baselineFile, 'utf8'))
  } catch {
    return { results: {} }
  }
}
