import { isInstalled } from '@sluice/provider-kit'
import { testKeyRing } from '@sluice/provider-kit/contract'
import { expect, it } from 'vitest'
import { alarmsPackage } from './package.ts'

const keyRing = testKeyRing()
const entities = alarmsPackage({ keyRing, token: 'the token', nowMs: 1 })

it('is a public package with three feed actions and the variants as their defaults', () => {
  expect(entities.map(({ id }) => id)).toEqual([
    'whisk.system/alarms',
    'whisk.system/alarms/alarm',
    'whisk.system/alarms/interval',
    'whisk.system/alarms/once',
  ])
  const [shared, ...actions] = entities.map(({ document }) => document)
  expect(shared).toMatchObject({ entityType: 'package', namespace: 'whisk.system', name: 'alarms', publish: true })
  expect(shared?.parameters[0]).toEqual({ key: 'trigger_payload', value: '' })
  expect(actions.map(({ parameters }) => parameters)).toEqual([
    [],
    [{ key: 'isInterval', value: true }],
    [{ key: 'fireOnce', value: true }],
  ])
  for (const { annotations } of actions) expect(annotations).toContainEqual({ key: 'feed', value: true })
})

it('locks the token to the package, so that it opens nowhere else', () => {
  expect(JSON.stringify(entities)).not.toContain('the token')
  const locked = entities[0]?.document.parameters.find(({ key }) => key === 'sluiceToken')
  expect(locked?.encryption).toBe('sluice-1:whisk.system/alarms')
  const open = (bind: string) => keyRing.decrypt(String(locked?.value), bind)
  expect(open('parameter:whisk.system/alarms:sluiceToken')).toBe('"the token"')
  expect(() => open('parameter:guest/mine:sluiceToken')).toThrow('belongs elsewhere')
})

it('is installed again only when something but time and the seal differs', () => {
  const shared = entities[0]!
  const [again] = alarmsPackage({ keyRing, token: 'the token', nowMs: 2 })
  expect(isInstalled(keyRing, shared.document, again!)).toBe(true)
  const [other] = alarmsPackage({ keyRing, token: 'another', nowMs: 2 })
  expect(isInstalled(keyRing, shared.document, other!)).toBe(false)
  const [elsewhere] = alarmsPackage({ keyRing, token: 'the token', endpoint: 'http://127.0.0.1:9', nowMs: 2 })
  expect(isInstalled(keyRing, shared.document, elsewhere!)).toBe(false)
})
