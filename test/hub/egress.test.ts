import { dirname } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createApi } from '../rig/api.ts'
import { dockerMissing } from '../rig/docker-needed.ts'
import { removeDirectory, startHub } from '../rig/hub-process.ts'

const missing = await dockerMissing('sluice/action-nodejs-v20:latest')

const knock = `
  const http = require('http')
  exports.main = () => new Promise(done => {
    const asked = http.get(process.env.__OW_API_HOST + '/ping', answer => done({ reached: answer.statusCode }))
    asked.on('error', error => done({ reached: error.code }))
  })`

describe('a hub whose actions are to reach nothing', () => {
  beforeEach(context => context.skip(missing !== '', missing))

  it('[sec:S10] lets the feeds of the system reach their providers, and no other action the API', async () => {
    const hub = await startHub({ containers: 'docker', config: 'containers: { docker: { egress: none } }' })
    const api = createApi(hub.url, hub.keys.alpha)
    onTestFinished(async () => {
      await api.close()
      await hub.stop()
      removeDirectory(dirname(hub.dataDir))
    })
    await api.call('PUT', 'actions/knock', { body: { exec: { kind: 'nodejs:20', code: knock } } })
    const { body } = await api.call('POST', 'actions/knock?blocking=true&result=true', { body: {} })
    expect(body.reached).toMatch(/^E/)
    await api.call('PUT', 'triggers/tick', {
      body: { annotations: [{ key: 'feed', value: '/whisk.system/alarms/alarm' }] },
    })
    const feed = async (lifecycleEvent: string): Promise<unknown> => {
      const asked = { lifecycleEvent, triggerName: '/_/tick', authKey: hub.keys.alpha, cron: '* * * * *' }
      const path = '/api/v1/namespaces/whisk.system/actions/alarms/alarm?blocking=true&result=true'
      return (await api.call('POST', path, { body: asked })).body
    }
    expect(await feed('CREATE')).toEqual({ status: 'success' })
    expect(await feed('DELETE')).toEqual({ status: 'success' })
  })
})
