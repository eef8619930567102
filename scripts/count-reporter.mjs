import { writeFileSync } from 'node:fs'

/** A vitest reporter that writes how many tests passed, failed and were skipped, and why, to $SLUICE_TEST_REPORT. */
export default class CountReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    const reasons = new Map()
    for (const module of modules) {
      let failedHere = 0
      for (const test of module.children.allTests()) {
        const { state, note } = { note: undefined, ...test.result() }
        if (state === 'failed') failedHere += 1
        counts[state === 'passed' || state === 'failed' ? state : 'skipped'] += 1
        if (state === 'passed' || state === 'failed') continue
        const reason = note ?? `see what ${module.moduleId.slice(process.cwd().length + 1)} printed`
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
      }
      // A file that failed outside of its tests (while loading, in a hook) is a failure of its own.
      if (module.state() === 'failed' && failedHere === 0) counts.failed += 1
    }
    const file = process.env.SLUICE_TEST_REPORT
    if (file) writeFileSync(file, JSON.stringify({ ...counts, reasons: [...reasons] }))
  }
}
