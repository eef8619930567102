import { writeFileSync } from 'node:fs'

/** A vitest reporter that writes how many tests passed, failed (with names and messages) and were skipped, and why, to
 *  $SLUICE_TEST_REPORT. */
export default class CountReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    const reasons = new Map()
    const failures = unhandledErrors.map(error => `outside of any test: ${firstLine(error)}`)
    for (const module of modules) {
      const file = module.moduleId.slice(process.cwd().length + 1)
      let failedHere = 0
      for (const test of module.children.allTests()) {
        const { state, note, errors } = { note: undefined, ...test.result() }
        if (state === 'failed') {
          failedHere += 1
          failures.push(`${file} > ${test.fullName}: ${firstLine(errors?.[0])}`)
        }
        counts[state === 'passed' || state === 'failed' ? state : 'skipped'] += 1
        if (state === 'passed' || state === 'failed') continue
        const reason = note ?? `see what ${file} printed`
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
      }
      // A file that failed outside of its tests (while loading, in a hook) is a failure of its own.
      if (module.state() === 'failed' && failedHere === 0) {
        counts.failed += 1
        failures.push(`${file}: ${firstLine(module.errors()[0])}`)
      }
    }
    const report = process.env.SLUICE_TEST_REPORT
    if (report) writeFileSync(report, JSON.stringify({ ...counts, failures, reasons: [...reasons] }))
  }
}

function firstLine(error) {
  return String(error?.message ?? 'no message').split('\n', 1)[0]
}
