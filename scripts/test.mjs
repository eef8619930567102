/**
 * `node scripts/test.mjs unit contract system system:docker [-- vitest's options]`: runs the projects one after the other
 * (`system:docker`: the system tests again, with actions in Docker containers), tells which tests failed and why others
 * were skipped, and ends with `N passed, N failed, N skipped` over all of them.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, setUp } from './setup.mjs'

const projects = ['unit', 'contract', 'system', 'system:docker', 'long']
/** What `system:docker` leaves out, with the reason, which is printed. */
const processOnly = {
  'test/hub/egress.test.ts': 'it asks for Docker itself, and has run',
  'test/hub/engine-faults.test.ts': 'it brings its own engine, and has run',
  'test/hub/probe.test.ts': 'it probes both ways, and has run',
}
const given = process.argv.slice(2).filter(argument => argument !== '--')
const wanted = given.filter(argument => projects.includes(argument))
const options = given.filter(argument => !projects.includes(argument))
const required = (process.env.SLUICE_TEST_REQUIRE ?? '').split(',').filter(name => name !== '')

await setUp()
const scratch = mkdtempSync(join(tmpdir(), 'sluice-tests-'))
const total = { passed: 0, failed: 0, skipped: 0 }
const reasons = new Map()
const failures = []
let broken = false
for (const project of wanted) {
  const missing = project === 'system:docker' ? missingForDocker() : undefined
  if (missing !== undefined) {
    // The whole pass stands for one: its tests have been counted as processes.
    total.skipped += 1
    reasons.set(`needs docker: ${missing}`, 1)
    continue
  }
  if (project === 'system:docker')
    for (const [file, reason] of Object.entries(processOnly))
      process.stdout.write(`system:docker leaves out ${file}: ${reason}\n`)
  const report = join(scratch, `${project.replace(':', '-')}.json`)
  const code = await vitest(project, report)
  const counts = readReport(report)
  for (const key of Object.keys(total)) total[key] += counts[key]
  for (const [reason, count] of counts.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + count)
  failures.push(...counts.failures.map(failure => `${project}: ${failure}`))
  if (code !== 0 && counts.failed === 0) {
    // A file that cannot be loaded or an error outside of any test.
    total.failed += 1
    process.stdout.write(`Project ${project} ended with code ${code} although no test failed; see above.\n`)
  }
}
rmSync(scratch, { recursive: true })

// Again at the end, where a log that is cut short still has them.
for (const failure of failures) process.stdout.write(`failed ${failure}\n`)
for (const [reason, count] of reasons) process.stdout.write(`skipped ${count}: ${reason}\n`)
for (const name of required) {
  const missed = [...reasons.keys()].filter(
    reason => reason.startsWith(`needs ${name}`) || reason.startsWith(`needs ../${name}`),
  )
  if (missed.length === 0) continue
  broken = true
  process.stdout.write(`SLUICE_TEST_REQUIRE asks for ${name}, but tests that need it were skipped.\n`)
}
if (total.passed + total.failed === 0) {
  broken = true
  process.stdout.write('No test ran.\n')
}
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`)
process.exitCode = broken || total.failed > 0 ? 1 : 0

/** Why actions cannot run in Docker here; nothing: they can. */
function missingForDocker() {
  const say = (...args) => spawnSync('docker', args, { encoding: 'utf8', timeout: 10_000 })
  if (say('version').status !== 0) return 'no engine answers (docker version)'
  const image = 'sluice/action-nodejs-v20'
  return say('image', 'inspect', image).status === 0 ? undefined : `image ${image} is missing (npm run images)`
}

function vitest(project, report) {
  const [name, containers] = project.split(':')
  const env = { ...process.env, SLUICE_TEST_REPORT: report, ...(containers && { SLUICE_TEST_CONTAINERS: containers }) }
  if (containers === 'docker') env.SLUICE_TEST_LEAVE_OUT = Object.keys(processOnly).join(',')
  const args = ['run', '--project', name, '--reporter=default', '--reporter=./scripts/count-reporter.mjs']
  return new Promise(resolve => {
    const child = spawn(
      process.execPath,
      [join(root, 'node_modules/vitest/vitest.mjs'), ...args, '--passWithNoTests', ...options],
      { cwd: root, stdio: 'inherit', env },
    )
    child.on('close', code => resolve(code ?? 1))
  })
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { passed: 0, failed: 0, skipped: 0, failures: [], reasons: [] }
  }
}
