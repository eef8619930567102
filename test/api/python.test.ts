import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ZipFile } from 'yazl'
import { eventually, type Api } from '../rig/api.ts'
import { openHubUnderTest, type HubUnderTest } from '../rig/hub-under-test.ts'

/** Python actions through a hub with real containers, of either kind: failures have OpenWhisk's words (runtimes.md §5.3,
 *  platform.md §10.1). */

let hub: HubUnderTest
let api: Api
let supported = false

beforeAll(async () => {
  hub = await openHubUnderTest()
  api = hub.mine.api
  const { body } = await api.call('GET', '/')
  supported = body.runtimes.python !== undefined
})
beforeEach(context => {
  if (!supported) context.skip('needs python: this hub runs no Python actions')
})
afterAll(async () => {
  for (const { name } of (await api?.call('GET', 'actions?limit=200'))?.body ?? [])
    await api.call('DELETE', `actions/${name}`)
  await hub?.close()
})

async function action(name: string, code: string, more: object = {}): Promise<void> {
  const body = { exec: { kind: 'python:default', code }, ...more }
  const { status, text } = await api.call('PUT', `actions/${name}?overwrite=true`, { body })
  if (status !== 200) throw new Error(`The action ${name} was not taken: ${status} ${text}`)
}

/** Puts an action, runs it once and gives the record. */
async function run(name: string, code: string, more: object = {}, value: object = {}): Promise<any> {
  await action(name, code, more)
  const { body } = await api.call('POST', `actions/${name}?blocking=true`, { body: value })
  // The answer itself has no log.
  return eventually(async () => {
    const { status, body: record } = await api.call('GET', `activations/${body.activationId}`)
    return status === 200 && record
  })
}

/** A zip as base64, the way an action is uploaded. */
async function archive(files: Record<string, string>): Promise<string> {
  const zip = new ZipFile()
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), name)
  zip.end()
  return (await buffer(zip.outputStream)).toString('base64')
}

const developerError = (error: string) => ({ status: 'action developer error', success: false, result: { error } })

describe('a Python action', () => {
  it('[runtime:SYS-01] gets unicode, returns it and logs it', async () => {
    const code = `
def main(args):
    winter = args['delimiter'] + ' ☃ ' + args['delimiter']
    print(winter)
    return {'winter': winter}
`
    const { response, logs } = await run('unicode', code, {}, { delimiter: '❄' })
    expect(response).toMatchObject({ success: true, result: { winter: '❄ ☃ ❄' } })
    expect(logs).toEqual([expect.stringMatching(/ stdout: ❄ ☃ ❄$/)])
  })

  it('[runtime:SYS-02] is initialised once and then warm', async () => {
    const first = await run('hello', 'import os\ndef main(args): return {"pid": os.getpid(), **args}', {}, { n: 1 })
    const { body: second } = await api.call('POST', 'actions/hello?blocking=true', { body: { n: 2 } })
    expect(second.response.result).toEqual({ ...first.response.result, n: 2 })
    const initTime = (record: any) => record.annotations.find(({ key }: any) => key === 'initTime')
    expect(initTime(first)).toBeDefined()
    expect(initTime(second)).toBeUndefined()
  })

  it('has the variables of its activation, and of python:3 as well', async () => {
    const code =
      'import os\ndef main(args): return {"id": os.environ["__OW_ACTIVATION_ID"], "name": os.environ["__OW_ACTION_NAME"]}'
    const record = await run('variables', code, { exec: { kind: 'python:3', code } })
    expect(record.response.result).toEqual({
      id: record.activationId,
      name: `/${hub.mine.namespace}/variables`,
    })
  })

  it('[runtime:SYS-03] that raises tells its message', async () => {
    const { response, logs } = await run('raises', 'def main(args):\n    raise ValueError("not today")')
    expect(response).toMatchObject({ status: 'application error', result: { error: 'not today' } })
    expect(logs.join('\n')).toContain('ValueError: not today')
  })

  it.each([
    ['returns text', 'def main(args): return "text"', 'The action did not return a dictionary or array.'],
    ['exits', 'import sys\ndef main(args): sys.exit(1)', 'command exited'],
    ['is no Python', 'def main(args:', 'The action failed to generate or locate a binary. See logs for details.'],
    ['cannot be imported', 'import nothing_at_all', 'Cannot start action. Check logs for details.'],
    ['exits at once', 'import sys\nsys.exit(0)', 'Cannot start action. Check logs for details.'],
  ])('that %s is told so', async (title, code, error) => {
    const { response } = await run(title.replaceAll(' ', '-'), code)
    expect(response).toMatchObject(developerError(error))
  })

  it('[runtime:SYS-08] that needs more memory than it may have is ended', async () => {
    const code =
      'def main(args):\n    hog = [bytes([i % 256]) * (1 << 20) for i in range(1024)]\n    return {"size": len(hog)}'
    const { response } = await run('hog', code, { limits: { memory: 128 } })
    expect(response).toMatchObject(developerError('The action exhausted its memory and was aborted.'))
  })

  it('that takes too long is ended', async () => {
    const sleeper = 'import time\ndef main(args): time.sleep(60)'
    expect((await run('sleeper', sleeper, { limits: { timeout: 500 } })).response).toMatchObject(
      developerError('The action exceeded its time limits of 500 milliseconds.'),
    )
    expect((await run('hangs', 'import time\ntime.sleep(60)', { limits: { timeout: 500 } })).response).toMatchObject(
      developerError('The action exceeded its time limits of 500 milliseconds during initialization.'),
    )
  })

  it('may be a package', async () => {
    const code = await archive({
      '__main__.py': 'from word import word\ndef niam(args): return {"word": word}',
      'word.py': 'word = "packed"',
    })
    const record = await run('package', code, { exec: { kind: 'python:default', code, main: 'niam' } })
    expect(record.response).toMatchObject({ success: true, result: { word: 'packed' } })
  })
})
