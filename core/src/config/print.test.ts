import { expect, it } from 'vitest'
import { loadConfig } from './load.ts'
import { printConfig } from './print.ts'

it('prints the effective configuration with secrets masked', async () => {
  const key = `23bc46b1-71f6-4ed5-8c54-816aa4f8c502:${'s'.repeat(64)}`
  const masterKey = 'ab'.repeat(32)
  const text = await printConfig(
    await loadConfig({
      env: { SLUICE__IDENTITIES: JSON.stringify([{ namespace: 'team', key }]), SLUICE_SECRETS__MASTER_KEY: masterKey },
      flags: [],
    }),
  )
  expect(text).toContain('port: 3233')
  expect(text).toContain('namespace: team')
  expect(text).toContain('key: "***"')
  expect(text).toContain('masterKey: "***"')
  expect(text).not.toContain(key.slice(0, 8))
  expect(text).not.toContain(masterKey)
})
