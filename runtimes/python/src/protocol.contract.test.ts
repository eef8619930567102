import { randomBytes } from 'node:crypto'
import { describeWays, renameEntry, sentinel, tarGz, zip } from '@sluice/runtime-contract'
import { describe, expect, it } from 'vitest'
import { ways } from './testing/ways.ts'

const echo = `import sys
def main(args):
    print('hello stdout')
    print('hello stderr', file=sys.stderr)
    return args
`
const silentEcho = 'def main(args):\n    return args\n'
const once1 = { stdout: 1, stderr: 1 }
const none = { stdout: 0, stderr: 0 }
const missing = { error: 'Missing main/no code to execute.' }

describeWays(ways, (_, startContainer) => {
  describe('every runtime, Python: /init', () => {
    it('[runtime:PROTO-01] refuses an init with empty code', async () => {
      const container = await startContainer()
      expect(await container.init('')).toMatchObject({ status: 403, body: missing })
      expect((await container.logs()).sentinels).toEqual(none)
    })

    it('[runtime:PROTO-02] refuses an init without content, and a run after it', async () => {
      const container = await startContainer()
      expect(await container.post('/init', {})).toMatchObject({ status: 403, body: missing })
      expect(await container.run()).toMatchObject({ status: 500, body: { error: 'no action defined yet' } })
      expect(await container.init(silentEcho)).toMatchObject({ status: 200, text: '{"ok":true}\n' })
    })

    it('[runtime:PROTO-04] refuses a second init and goes on with the first code', async () => {
      const container = await startContainer()
      expect((await container.init(echo)).status).toBe(200)
      const text = 'Cannot initialize the action more than once.'
      expect(await container.init('def main(args): return {}')).toMatchObject({ status: 403, body: { error: text } })
      expect(container.output('stdout') + container.output('stderr')).not.toContain(sentinel)
      expect((await container.run({ first: true })).body).toEqual({ first: true })
      const logs = await container.logs()
      expect(logs.stderr).toContain(text)
      expect(logs.sentinels).toEqual(once1)
    })

    it('[runtime:PROTO-05] runs an entry of another name', async () => {
      const container = await startContainer()
      await container.init('def niam(args): return args', { main: 'niam' })
      expect((await container.run({ string: 'hello' })).body).toEqual({ string: 'hello' })
      expect((await container.logs()).stderr).toBe('')
    })

    it('[runtime:PROTO-08] [runtime:PROTO-23] shows the variables of the init, line breaks and = included', async () => {
      const container = await startContainer()
      await container.init(
        'import os\ndef main(args): return {n: os.environ[n] for n in ("SOME_VAR", "ANOTHER_VAR", "ODD")}',
        { env: { SOME_VAR: 'xyz', ANOTHER_VAR: '', ODD: 'a=b=c\nd=e' } },
      )
      expect((await container.run()).body).toEqual({ SOME_VAR: 'xyz', ANOTHER_VAR: '', ODD: 'a=b=c\nd=e' })
    })

    it('[runtime:PROTO-12] can be initialised after a body that is not JSON', async () => {
      const container = await startContainer()
      for (const body of ['{', '{"value":12}', '{"value":{"code":12}}']) {
        const reply = await container.post('/init', body)
        expect(reply).toMatchObject({
          status: 400,
          body: { error: expect.stringMatching(/^Error unmarshaling request: ./) },
        })
      }
      expect((await container.init(silentEcho)).status).toBe(200)
    })

    it('[runtime:PROTO-21] tells why code cannot be loaded, and takes other code', async () => {
      const container = await startContainer()
      expect(await container.init('raise ValueError("not today")\ndef main(args): return {}')).toMatchObject({
        status: 502,
        body: { error: 'Cannot start action. Check logs for details.' },
      })
      await container.shows('stderr', 'ValueError: not today')
      expect((await container.init(silentEcho)).status).toBe(200)
      expect((await container.logs()).sentinels).toEqual(once1)
    })

    it('[runtime:PROTO-22] turns variables that are no strings into text, before any user code', async () => {
      const container = await startContainer()
      const env = { ZERO: 0, NO: false, NUMBER: 1.5, OBJECT: { a: [1, 'x'] }, NOTHING: null }
      await container.init('import os\nseen = dict(os.environ)\ndef main(args): return seen', { env })
      expect((await container.run()).body).toMatchObject({
        ZERO: '0',
        NO: 'false',
        NUMBER: '1.5',
        OBJECT: '{"a":[1,"x"]}',
        NOTHING: '',
      })
    })

    it('[runtime:PROTO-32] refuses archives that reach outside of their folder', async () => {
      const main = { '__main__.py': silentEcho }
      const hostile = [
        renameEntry(await zip({ ...main, 'aa/x': 'up' }), 'aa/x', '../x'),
        renameEntry(await zip({ ...main, 'a/x': 'absolute' }), 'a/x', '//x'),
        await zip({ ...main, passwd: { link: '/etc/passwd' } }),
        await zip({ ...main, up: { link: '../..' } }),
        await zip({ ...main, 'deep/here': { link: '..' }, 'deep/here/out': { link: 'x' } }),
        await zip({ ...main, 'deep/here': { link: '..' }, out: { link: 'deep/here/../x' } }),
        await zip({ ...main, sub: { link: '.' }, 'sub/file': 'through a link' }),
        await tarGz({ ...main, '../x': 'up' }),
        await tarGz({ ...main, '/tmp/x': 'absolute' }),
        await tarGz({ ...main, passwd: { link: '/etc/passwd' } }),
        await tarGz(main, [{ name: 'copy', type: 'link', linkname: '../../x' }]),
        await tarGz(main, [{ name: 'device', type: 'character-device' }]),
        Buffer.from(await zip(main), 'base64')
          .subarray(0, -30)
          .toString('base64'),
      ]
      const container = await startContainer()
      const text = 'The action failed to generate or locate a binary. See logs for details.'
      for (const code of hostile)
        expect(await container.init(code)).toMatchObject({ status: 502, body: { error: text } })
      const logs = await container.logs()
      expect(logs.sentinels).toEqual({ stdout: hostile.length, stderr: hostile.length })
      expect(logs.stderr).toContain('leaves the archive')
    })

    it('[runtime:PROTO-33] takes 48 MiB of code', async () => {
      const container = await startContainer()
      const bulk = randomBytes(47 * 1024 * 1024 + 1000 * 1024)
      const code = await zip({ '__main__.py': silentEcho, bulk }, { compress: false })
      expect((await container.init(code)).status).toBe(200)
      expect((await container.run({ ok: true })).body).toEqual({ ok: true })
    })

    it('answers 413 to a body over its limit and serves the next request', async () => {
      const container = await startContainer()
      const reply = await container.post('/init', 'x'.repeat(80 * 1024 * 1024 + 1))
      expect(reply).toMatchObject({ status: 413, body: { error: expect.stringContaining('exceeds') } })
      expect((await container.init(silentEcho)).status).toBe(200)
    })
  })

  describe('every runtime, Python: /run', () => {
    it('[runtime:PROTO-03] refuses a result that is no object', async () => {
      const container = await startContainer()
      await container.init('def main(args): return "not a json object"')
      expect(await container.run()).toMatchObject({
        status: 502,
        body: { error: 'The action did not return a dictionary or array.' },
      })
      const logs = await container.logs()
      expect(logs.sentinels).toEqual(once1)
      expect(logs.stdout).toBe('')
    })

    it('[runtime:PROTO-06] echoes values and keeps both streams apart', async () => {
      const container = await startContainer()
      await container.init(echo)
      const values = [{ string: 'hello' }, { string: '❄ ☃ ❄' }, { numbers: [42, 1] }, { object: { a: 'A' } }]
      for (const value of values) expect(await container.run(value)).toMatchObject({ status: 200, body: value })
      const logs = await container.logs()
      expect(logs.stdout).toBe(Array(4).fill('hello stdout').join('\n'))
      expect(logs.stderr).toBe(Array(4).fill('hello stderr').join('\n'))
      expect(logs.sentinels).toEqual({ stdout: 4, stderr: 4 })
    })

    it('[runtime:PROTO-07] speaks UTF-8', async () => {
      const container = await startContainer()
      await container.init(`
def main(args):
    winter = args['delimiter'] + ' ☃ ' + args['delimiter']
    print(winter)
    return {'winter': winter}
`)
      expect((await container.run({ delimiter: '❄' })).body).toEqual({ winter: '❄ ☃ ❄' })
      expect((await container.logs()).stdout).toBe('❄ ☃ ❄')
    })

    it('[runtime:PROTO-09] exports the context of the activation', async () => {
      const container = await startContainer({ __OW_API_HOST: 'http://xyz?a=b=c' })
      await container.init(`
import os
def main(args):
    names = ['API_HOST', 'API_KEY', 'NAMESPACE', 'ACTION_NAME', 'ACTION_VERSION', 'ACTIVATION_ID', 'DEADLINE']
    return {'env': [os.environ['__OW_' + name] for name in names]}
`)
      const fields = {
        api_key: 'abc',
        namespace: 'zzz',
        action_name: 'xxx',
        action_version: '0.0.1',
        activation_id: 'iii',
        deadline: '123',
      }
      expect((await container.run({}, fields)).body).toEqual({
        env: ['http://xyz?a=b=c', 'abc', 'zzz', 'xxx', '0.0.1', 'iii', '123'],
      })
      const overridden = await container.run({}, { ...fields, api_host: 'other' })
      expect(overridden.body.env[0]).toBe('other')
    })

    it('[runtime:PROTO-10] takes a large input', async () => {
      const container = await startContainer()
      await container.init(silentEcho)
      const arg = 'a'.repeat(1_048_561)
      expect((await container.run({ arg })).body.arg === arg).toBe(true)
    })

    it('[runtime:PROTO-11] answers other methods and paths with an error', async () => {
      const container = await startContainer()
      expect(await container.post('/init', '', 'GET')).toMatchObject({
        status: 405,
        body: { error: 'Method not allowed.' },
      })
      expect(await container.post('/run', '', 'PUT')).toMatchObject({
        status: 405,
        body: { error: 'Method not allowed.' },
      })
      expect(await container.post('/foo', '')).toMatchObject({ status: 404, body: { error: 'Not found.' } })
    })

    it('[runtime:PROTO-13] gives {} for an absent or null value', async () => {
      const container = await startContainer()
      await container.init('def main(args): return {"args": args}')
      expect((await container.post('/run', {})).body).toEqual({ args: {} })
      expect((await container.run(null)).body).toEqual({ args: {} })
      expect((await container.post('/run', '')).body).toEqual({ args: {} })
      expect(await container.post('/run', '{')).toMatchObject({ status: 400 })
    })

    it('[runtime:PROTO-14] [runtime:PROTO-15] takes and returns an array', async () => {
      const container = await startContainer()
      await container.init(silentEcho)
      expect(await container.run(['a', { b: 1 }])).toMatchObject({ status: 200, body: ['a', { b: 1 }] })
    })

    it('[runtime:PROTO-16] returns an error of the application as it is', async () => {
      const container = await startContainer()
      await container.init('def main(args): return {"error": "sorry"}')
      expect(await container.run()).toMatchObject({ status: 200, body: { error: 'sorry' } })
    })

    it('[runtime:PROTO-17] makes {} of None', async () => {
      const container = await startContainer()
      await container.init('def main(args): pass')
      expect(await container.run()).toMatchObject({ status: 200, text: '{}' })
    })

    it('[runtime:PROTO-18] says length and type of every answer', async () => {
      const container = await startContainer()
      const init = await container.init('def main(args): return {"snow": "☃"}')
      for (const { headers, text } of [init, await container.run(), await container.init(silentEcho)]) {
        expect(headers['content-type']).toBe('application/json')
        expect(headers['content-length']).toBe(String(Buffer.byteLength(text)))
        expect(headers['transfer-encoding']).toBeUndefined()
      }
    })

    it('[runtime:PROTO-19] writes one sentinel for each run after its output, byte for byte', async () => {
      const container = await startContainer()
      await container.init(`import sys
print('loading')
def main(args):
    print(args['n'])
    print(-args['n'], file=sys.stderr)
`)
      for (const n of [1, 2, 3]) await container.run({ n })
      await container.logs()
      expect(container.output('stdout')).toBe(`loading\n1\n${sentinel}\n2\n${sentinel}\n3\n${sentinel}\n`)
      expect(container.output('stderr')).toBe(`-1\n${sentinel}\n-2\n${sentinel}\n-3\n${sentinel}\n`)
    })

    it('[runtime:PROTO-20] begins a line for the sentinel, also after output of other programs', async () => {
      const container = await startContainer()
      await container.init(`import os, subprocess, sys
def main(args):
    sys.stdout.write(args['text'])
    sys.stdout.flush()
    os.write(2, args['text'].encode())
    subprocess.run(['printf', '%s', args['text']])
`)
      for (const text of ['open', 'closed\n', '']) await container.run({ text })
      await container.logs()
      expect(container.output('stdout')).toBe(`openopen\n${sentinel}\nclosed\nclosed\n${sentinel}\n${sentinel}\n`)
      expect(container.output('stderr')).toBe(`open\n${sentinel}\nclosed\n${sentinel}\n${sentinel}\n`)
    })

    it('[runtime:PROTO-24] exports context fields that are no strings as JSON', async () => {
      const container = await startContainer()
      await container.init(
        'import os\ndef main(args): return {n: os.environ["__OW_" + n] for n in ("DEADLINE", "EXTRA")}',
      )
      expect((await container.run({}, { deadline: 123, extra: { a: [true, null] } })).body).toEqual({
        DEADLINE: '123',
        EXTRA: '{"a":[true,null]}',
      })
    })

    it('[runtime:PROTO-25] tells that the action exited, and loses no output', async () => {
      for (const exit of ['sys.exit(3)', 'os._exit(3)', 'os.kill(os.getpid(), 9)']) {
        const container = await startContainer()
        await container.init(`import os, sys
def main(args):
    print('x' * 1_000_000, flush=True)
    ${exit}
`)
        expect(await container.run()).toMatchObject({ status: 400, body: { error: 'command exited' } })
        expect(await container.run()).toMatchObject({ status: 500, body: { error: 'no action defined yet' } })
        const logs = await container.logs()
        expect(logs.stdout).toHaveLength(1_000_000)
        expect(logs.sentinels).toEqual(once1)
      }
    })

    it('[runtime:PROTO-26] loses nothing of a long log and a large result', async () => {
      const container = await startContainer()
      await container.init(`def main(args):
    for i in range(5 * 1024):
        print('x' * 1023)
    return {'result': 'y' * (1024 * 1024)}
`)
      expect((await container.run()).body.result).toHaveLength(1024 * 1024)
      await container.shows('stdout', sentinel)
      await container.logs()
      expect(container.output('stdout')).toHaveLength(5 * 1024 * 1024 + sentinel.length + 1)
    })

    it('[runtime:PROTO-27] keeps memory and descriptors over 200 runs', async () => {
      const container = await startContainer()
      await container.init(`import os, resource
def main(args):
    return {'kb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 'descriptors': len(os.listdir('/proc/self/fd'))}
`)
      for (let i = 0; i < 20; i++) await container.run({ text: 'x'.repeat(10_000) })
      const before = (await container.run()).body
      for (let i = 0; i < 200; i++) await container.run({ text: 'x'.repeat(10_000) })
      const after = (await container.run()).body
      expect(after.kb - before.kb).toBeLessThan(1000)
      expect(after.descriptors).toBe(before.descriptors)
    })

    it('[runtime:PROTO-28] refuses an overlapping run without disturbing the first', async () => {
      const container = await startContainer({ __OW_ALLOW_CONCURRENT: 'true' })
      await container.init(
        'import time\ndef main(args):\n    print("begun", flush=True)\n    time.sleep(0.3)\n    return {"n": 1}',
      )
      const first = container.run()
      await container.shows('stdout', 'begun')
      const text = 'System not ready, status is running.'
      expect(await container.run()).toMatchObject({ status: 403, body: { error: text } })
      expect(await container.init(silentEcho)).toMatchObject({ status: 403, body: { error: text } })
      expect(await first).toMatchObject({ status: 200, body: { n: 1 } })
      expect((await container.logs()).sentinels).toEqual(once1)
    })

    it('[runtime:PROTO-31] exits at once when told to stop while idle', async () => {
      const container = await startContainer()
      await container.init(silentEcho)
      await container.run()
      const toldMs = performance.now()
      await container.kill('SIGTERM')
      expect((await container.exited).code).toBe(0)
      expect(performance.now() - toldMs).toBeLessThan(1000)
    })

    it('[runtime:PROTO-31] answers, then exits when told to stop while running; refuses what is new', async () => {
      const container = await startContainer()
      await container.init(
        'import time\ndef main(args):\n    print("begun", flush=True)\n    time.sleep(0.5)\n    return {"done": True}',
      )
      const running = container.run()
      await container.shows('stdout', 'begun')
      await container.kill('SIGTERM')
      let refused = await container.run()
      while (refused.status === 403) refused = await container.run()
      expect(refused.status).toBe(503)
      expect(await running).toMatchObject({ status: 200, body: { done: true } })
      expect((await container.exited).code).toBe(0)
      expect((await container.logs()).sentinels).toEqual(once1)
    })

    it('finishes the run of a client that has gone, and stays usable', async () => {
      const container = await startContainer()
      await container.init(`import time
def main(args):
    if not args.get('wait'):
        return {'next': True}
    print('begun', flush=True)
    time.sleep(0.2)
`)
      const socket = container.connect()
      socket.write('POST /run HTTP/1.1\r\nHost: x\r\nContent-Length: 23\r\n\r\n{"value":{"wait":true}}')
      await container.shows('stdout', 'begun')
      socket.destroy()
      await container.shows('stdout', sentinel)
      expect((await container.run()).body).toEqual({ next: true })
      expect((await container.logs()).sentinels).toEqual({ stdout: 2, stderr: 2 })
    })

    it('hides its own settings from the action', async () => {
      const container = await startContainer()
      await container.init(
        'import os\ndef main(args): return {"names": [n for n in os.environ if "SLUICE" in n or "LISTEN" in n]}',
      )
      expect((await container.run()).body).toEqual({ names: [] })
    })
  })
})
