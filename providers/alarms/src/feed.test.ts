import { feedContract } from '@sluice/provider-kit/contract'
import { alarmsSetUp } from './testing.ts'

feedContract({
  name: 'alarms',
  setUp: () => alarmsSetUp(),
  valid: { cron: '* * * * * *', trigger_payload: { a: 1 }, catchUp: 'all' },
  invalid: { cron: 'nonsense' },
  update: { parameters: { trigger_payload: { b: 2 } }, shown: { payload: { b: 2 } } },
  noUpdatable: 'no updatable parameters were specified',
  unauthorized: { status: 404, text: 'Trigger authentication request failed.' },
  produce: (harness, count) => harness.advance(count * 1000),
})
