import { expect, it } from 'vitest'
import { dialectWarning } from './dialect-warning.ts'

it.each(['0 9 1 1 *', '* * * 3-11 *', '0 0 1-31 * 1', '0 0 31 4,6 *'])('%s gets a warning: dialects differ', cron => {
  expect(dialectWarning(cron, 'standard')).toContain(`cron pattern '${cron}' fires at other times`)
})

it.each(['* * * * *', '0 9 1 JAN *', '0 9 * * MON-FRI', '0 0 1-31 * *', '0 0 1 12 *', '@daily', '0 22-4 * * *'])(
  '%s gets none: both agree or only one takes it',
  cron => {
    expect(dialectWarning(cron, 'standard')).toBeUndefined()
  },
)

it('names the dialect it was read in', () => {
  expect(dialectWarning('0 9 1 1 *', 'openwhisk')).toContain("it was read as 'openwhisk' (months are 0-11)")
})
