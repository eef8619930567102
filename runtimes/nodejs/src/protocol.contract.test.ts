import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { describeWays, renameEntry, sentinel, tarGz, zip } from '@sluice/runtime-contract'
import { describe, expect, it } from 'vitest'
import { bounds } from './bounds.ts'
import { ways } from './testing/ways.ts'

const echo = `function main(args) { console.log('hello stdout'); console.error('hello stderr'); return args }`
const silentEcho = 'function main(args) { return args }'
const once1 = { stdout: 1, stderr: 1 }
const none = { stdout: 0, stderr: 0 }

describeWays(ways, (_, startContainer) => {
  describe('every runtime: /init', () => {
    it('[runtime:PROTO-01] refuses an init with empty code', async () => {
      const container = await startContainer()
      expect(await container.init('')).toMatchObject({
        status: 403,
        body: { error: 'Missing main/no code to execute.' },
      })
      expect((await container.logs()).sentinels).toEqual(none)
    })

    it('[runtime:PROTO-02] refuses an init without content, and a run after it', async () => {
      const container = await startContainer()
      expect(await container.post('/init', {})).toMatchObject({
        status: 403,
        body: { error: 'Missing main/no code to execute.' },
      })
      expect(await container.run()).toMatchObject({ status: 403, body: { error: 'System not initialized.' } })
      expect(await container.init(silentEcho)).toMatchObject({ status: 200, body: { OK: true } })
    })

    it('[runtime:PROTO-04] refuses a second init and goes on with the first code', async () => {
      const container = await startContainer()
      expect((await container.init(echo)).status).toBe(200)
      const text = 'Cannot initialize the action more than once.'
      expect(await container.init('function main() {}')).toMatchObject({ status: 403, body: { error: text } })
      expect(container.output('stdout') + container.output('stderr')).not.toContain(sentinel)
      expect((await container.run({ first: true })).body).toEqual({ first: true })
      const logs = await container.logs()
      expect(logs.stderr).toContain(`Internal system error: ${text}`)
      expect(logs.sentinels).toEqual(once1)
    })

    it('[runtime:PROTO-05] runs an entry of another name', async () => {
      const container = await startContainer()
      await container.init('function niam(args) { return args }', { main: 'niam' })
      expect((await container.run({ string: 'hello' })).body).toEqual({ string: 'hello' })
      expect((await container.logs()).stderr).toBe('')
    })

    it('[runtime:PROTO-08] shows the variables of the init', async () => {
      const container = await startContainer()
      const code = 'function main() { return { SOME_VAR: process.env.SOME_VAR, ANOTHER_VAR: process.env.ANOTHER_VAR } }'
      await container.init(code, { env: { SOME_VAR: 'xyz', ANOTHER_VAR: '' } })
      expect((await container.run()).body).toEqual({ SOME_VAR: 'xyz', ANOTHER_VAR: '' })
    })

    it('[runtime:PROTO-12] can be initialised after a body that is not JSON', async () => {
      const container = await startContainer()
      for (const body of ['{', '"text"', '12', 'null']) {
        expect(await container.post('/init', body)).toMatchObject({ status: 500, body: { error: 'Bad request.' } })
      }
      expect((await container.init(silentEcho)).status).toBe(200)
    })

    it('[runtime:PROTO-21] tells why code cannot be loaded, then stays stopped', async () => {
      const container = await startContainer()
      const reply = await container.init('throw new Error("not today"); function main() {}')
      expect(reply.status).toBe(502)
      expect(reply.body.error).toMatch(/^Initialization has failed due to: Error: not today\n {4}at /)
      expect(await container.init(silentEcho)).toMatchObject({
        status: 403,
        body: { error: 'System not ready, status is stopped.' },
      })
      expect((await container.run()).status).toBe(403)
      const logs = await container.logs()
      expect(logs.stderr).toContain('Error during initialization: Error: not today')
      expect(logs.sentinels).toEqual(once1)
    })

    it('[runtime:PROTO-22] turns variables that are no strings into text, before any user code', async () => {
      const container = await startContainer()
      const code = 'const seen = { ...process.env }; function main() { return seen }'
      const env = { ZERO: 0, NO: false, NUMBER: 1.5, OBJECT: { a: [1, 'x'] }, NOTHING: null }
      await container.init(code, { env })
      expect((await container.run()).body).toMatchObject({
        ZERO: '0',
        NO: 'false',
        NUMBER: '1.5',
        OBJECT: '{"a":[1,"x"]}',
        NOTHING: '',
      })
    })

    it('[runtime:PROTO-23] keeps variables with = and line breaks intact', async () => {
      const container = await startContainer()
      await container.init('function main() { return { value: process.env.ODD } }', { env: { ODD: 'a=b=c\nd=e' } })
      expect((await container.run()).body).toEqual({ value: 'a=b=c\nd=e' })
    })

    it('[runtime:PROTO-32] refuses archives that reach outside of their folder', async () => {
      const index = { 'index.js': 'exports.main = () => ({})' }
      const zipText = 'There was an error uncompressing the action Zip archive.'
      const tarText = 'There was an error uncompressing the action Tar GZ archive.'
      const hostile: [string, string][] = [
        [zipText, renameEntry(await zip({ ...index, 'aa/x': 'up' }), 'aa/x', '../x')],
        [zipText, renameEntry(await zip({ ...index, 'a/x': 'absolute' }), 'a/x', '//x')],
        [zipText, await zip({ ...index, passwd: { link: '/etc/passwd' } })],
        [zipText, await zip({ ...index, up: { link: '../..' } })],
        [zipText, await zip({ ...index, 'deep/here': { link: '..' }, 'deep/here/out': { link: 'index.js' } })],
        [zipText, await zip({ ...index, 'deep/here': { link: '..' }, out: { link: 'deep/here/../x' } })],
        [zipText, await zip({ ...index, sub: { link: '.' }, 'sub/file': 'through a link' })],
        [tarText, await tarGz({ ...index, '../x': 'up' })],
        [tarText, await tarGz({ ...index, '/tmp/x': 'absolute' })],
        [tarText, await tarGz({ ...index, passwd: { link: '/etc/passwd' } })],
        [tarText, await tarGz(index, [{ name: 'copy', type: 'link', linkname: '../../package.json' }])],
        [tarText, await tarGz(index, [{ name: 'device', type: 'character-device' }])],
      ]
      const replies = await Promise.all(
        hostile.map(async ([text, code]) => {
          const container = await startContainer()
          const reply = await container.init(code)
          return { text, status: reply.status, error: reply.body.error, sentinels: (await container.logs()).sentinels }
        }),
      )
      for (const { text, ...reply } of replies) {
        expect(reply).toEqual({ status: 502, error: `Initialization has failed due to: ${text}`, sentinels: once1 })
      }
    })

    it('[runtime:PROTO-33] takes 48 MiB of code', async () => {
      const container = await startContainer()
      const code = await zip(
        { 'index.js': 'exports.main = () => ({ ok: true })', bulk: randomBytes(47 * 1024 * 1024 + 1000 * 1024) },
        { compress: false },
      )
      expect(Buffer.byteLength(code)).toBeGreaterThan(63 * 1024 * 1024)
      expect((await container.init(code)).status).toBe(200)
      expect((await container.run()).body).toEqual({ ok: true })
    })

    it('answers 413 to a body over its limit and serves the next request', async () => {
      const container = await startContainer()
      const reply = await container.post('/init', 'x'.repeat(bounds.bodyBytesMax + 1))
      expect(reply).toMatchObject({ status: 413, body: { error: expect.stringContaining('exceeds') } })
      expect((await container.init(silentEcho)).status).toBe(200)
    })
  })

  describe('every runtime: /run', () => {
    it('[runtime:PROTO-03] refuses a result that is no object', async () => {
      const container = await startContainer()
      await container.init('function main() { return "not a json object" }')
      expect(await container.run()).toMatchObject({
        status: 502,
        body: { error: 'The action did not return a dictionary.' },
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
      function main({ delimiter }) {
        const winter = delimiter + ' ☃ ' + delimiter
        console.log(winter)
        return { winter }
      }`)
      expect((await container.run({ delimiter: '❄' })).body).toEqual({ winter: '❄ ☃ ❄' })
      expect((await container.logs()).stdout).toBe('❄ ☃ ❄')
    })

    it('[runtime:PROTO-09] exports the context of the activation', async () => {
      const container = await startContainer({ __OW_API_HOST: 'xyz' })
      await container.init(`
      function main(args, context) {
        const names = ['API_HOST', 'API_KEY', 'NAMESPACE', 'ACTION_NAME', 'ACTION_VERSION', 'ACTIVATION_ID', 'DEADLINE']
        return { env: names.map(name => process.env['__OW_' + name]), context }
      }`)
      const fields = {
        api_key: 'abc',
        namespace: 'zzz',
        action_name: 'xxx',
        action_version: '0.0.1',
        activation_id: 'iii',
        deadline: '123',
      }
      expect((await container.run({}, fields)).body).toEqual({
        env: ['xyz', 'abc', 'zzz', 'xxx', '0.0.1', 'iii', '123'],
        context: {
          apiHost: 'xyz',
          apiKey: 'abc',
          namespace: 'zzz',
          actionName: 'xxx',
          actionVersion: '0.0.1',
          activationId: 'iii',
          deadline: 123,
        },
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
      for (const [method, path] of [
        ['GET', '/init'],
        ['GET', '/run'],
        ['POST', '/foo'],
        ['PUT', '/run'],
      ] as const) {
        expect(await container.post(path, '', method)).toMatchObject({ status: 500, body: { error: 'Bad request.' } })
      }
    })

    it('[runtime:PROTO-13] gives {} for an absent or null value', async () => {
      const container = await startContainer()
      await container.init('function main(args) { return { args } }')
      expect((await container.post('/run', {})).body).toEqual({ args: {} })
      expect((await container.run(null)).body).toEqual({ args: {} })
      expect((await container.post('/run', '')).body).toEqual({ args: {} })
      expect(await container.run('A')).toMatchObject({
        status: 403,
        body: { error: "Internal system error: the argument must be a dictionary but has type 'string'." },
      })
    })

    it('[runtime:PROTO-14] takes an array', async () => {
      const container = await startContainer()
      await container.init(silentEcho)
      expect((await container.run(['a', { b: 1 }])).body).toEqual(['a', { b: 1 }])
    })

    it('[runtime:PROTO-15] returns an array', async () => {
      const container = await startContainer()
      await container.init('function main() { return ["a", "b"] }')
      expect(await container.run()).toMatchObject({ status: 200, body: ['a', 'b'] })
    })

    it('[runtime:PROTO-16] returns an error of the application as it is', async () => {
      const container = await startContainer()
      await container.init('function main() { return { error: "sorry" } }')
      expect(await container.run()).toMatchObject({ status: 200, body: { error: 'sorry' } })
    })

    it('[runtime:PROTO-17] makes {} of undefined and passes null on', async () => {
      const container = await startContainer()
      await container.init('function main({ value }) { return value === "null" ? null : undefined }')
      expect(await container.run({ value: 'null' })).toMatchObject({ status: 200, text: 'null' })
      expect(await container.run()).toMatchObject({ status: 200, text: '{}' })
    })

    it('[runtime:PROTO-18] says length and type of every answer', async () => {
      const container = await startContainer()
      const init = await container.init('function main() { return { snow: "☃" } }')
      const run = await container.run()
      const refused = await container.init(silentEcho)
      for (const { headers, text } of [init, run, refused]) {
        expect(headers['content-type']).toBe('application/json')
        expect(headers['content-length']).toBe(String(Buffer.byteLength(text)))
        expect(headers['transfer-encoding']).toBeUndefined()
      }
    })

    it('[runtime:PROTO-19] writes one sentinel for each run after its output, byte for byte', async () => {
      const container = await startContainer()
      await container.init('console.log("loading"); function main({ n }) { console.log(n); console.error(-n) }')
      for (const n of [1, 2, 3]) await container.run({ n })
      await container.logs()
      expect(container.output('stdout')).toBe(`loading\n1\n${sentinel}\n2\n${sentinel}\n3\n${sentinel}\n`)
      expect(container.output('stderr')).toBe(`-1\n${sentinel}\n-2\n${sentinel}\n-3\n${sentinel}\n`)
    })

    it('[runtime:PROTO-20] begins a line for the sentinel', async () => {
      const container = await startContainer()
      await container.init(`function main({ text }) {
      process.stdout.write(text)
      process.stderr.write(Buffer.from(text))
      process.stdout.write('')
    }`)
      for (const text of ['open', 'closed\n', '']) await container.run({ text })
      await container.logs()
      const expected = `open\n${sentinel}\nclosed\n${sentinel}\n${sentinel}\n`
      expect(container.output('stdout')).toBe(expected)
      expect(container.output('stderr')).toBe(expected)
    })

    it('[runtime:PROTO-24] exports context fields that are no strings as JSON', async () => {
      const container = await startContainer()
      await container.init('function main() { return { d: process.env.__OW_DEADLINE, x: process.env.__OW_EXTRA } }')
      expect((await container.run({}, { deadline: 123, extra: { a: [true, null] } })).body).toEqual({
        d: '123',
        x: '{"a":[true,null]}',
      })
    })

    it('[runtime:PROTO-25] breaks the connection when the action exits, and loses no output', async () => {
      const container = await startContainer()
      await container.init(`function main() { console.log('x'.repeat(1_000_000)); process.exit(3) }`)
      await expect(container.run()).rejects.toThrow('socket hang up')
      expect(await container.exited).toEqual({ code: 3, signal: null })
      const logs = await container.logs()
      expect(logs.stdout).toHaveLength(1_000_000)
      expect(logs.sentinels).toEqual(once1)
      await expect(container.run()).rejects.toThrow()
    })

    it('[runtime:PROTO-25] ends with the stack before the sentinels when something is thrown outside of the entry', async () => {
      for (const code of [
        'setTimeout(() => { throw new Error("stray") })',
        'void Promise.reject(new Error("stray"))',
      ]) {
        const container = await startContainer()
        await container.init(`function main() { ${code}; return new Promise(() => {}) }`)
        await expect(container.run()).rejects.toThrow('socket hang up')
        expect((await container.exited).code).toBe(1)
        await container.logs()
        expect(container.output('stderr')).toMatch(new RegExp(`^Error: stray\\n {4}at [^]*\\n${sentinel}\\n$`))
      }
    })

    it('leaves stray errors to an action that handles them', async () => {
      const container = await startContainer()
      await container.init(`
      process.on('uncaughtException', error => console.log('handled ' + error.message))
      function main() { setTimeout(() => { throw new Error('stray') }); return new Promise(r => setTimeout(r, 50, { fine: 1 })) }`)
      expect((await container.run()).body).toEqual({ fine: 1 })
      expect(await container.logs()).toEqual({ stdout: 'handled stray', stderr: '', sentinels: once1 })
    })

    it('[runtime:PROTO-26] loses nothing of a long log and a large result', async () => {
      const container = await startContainer()
      await container.init(`function main() {
      const line = 'x'.repeat(1023)
      for (let i = 0; i < 5 * 1024; i++) console.log(line)
      return { result: 'y'.repeat(1024 * 1024) }
    }`)
      expect((await container.run()).body.result).toHaveLength(1024 * 1024)
      await container.shows('stdout', sentinel)
      await container.logs()
      expect(container.output('stdout')).toHaveLength(5 * 1024 * 1024 + sentinel.length + 1)
    })

    it('[runtime:PROTO-27] keeps memory and descriptors over 200 runs', async () => {
      const container = await startContainer()
      await container.init(`function main() {
      gc()
      return { heap: process.memoryUsage().heapUsed, descriptors: require('fs').readdirSync('/dev/fd').length }
    }`)
      for (let i = 0; i < 20; i++) await container.run()
      const before = (await container.run()).body
      for (let i = 0; i < 200; i++) await container.run({ text: 'x'.repeat(10_000) })
      const after = (await container.run()).body
      expect(after.heap - before.heap).toBeLessThan(1_000_000)
      expect(after.descriptors).toBe(before.descriptors)
    })

    it('[runtime:PROTO-28] refuses an overlapping run without disturbing the first', async () => {
      const container = await startContainer()
      await container.init(
        'function main() { console.log("begun"); return new Promise(r => setTimeout(r, 300, { n: 1 })) }',
      )
      const first = container.run()
      await container.shows('stdout', 'begun')
      expect(await container.run()).toMatchObject({
        status: 403,
        body: { error: 'System not ready, status is running.' },
      })
      expect(await first).toMatchObject({ status: 200, body: { n: 1 } })
      expect((await container.logs()).sentinels).toEqual(once1)
    })

    it('[runtime:PROTO-29] lets 120 runs wait for each other where runs may overlap', async () => {
      const container = await startContainer({ __OW_ALLOW_CONCURRENT: 'true' })
      await container.init(`
      const waiting = []
      function main({ n }) {
        console.log('in ' + n)
        return new Promise(resolve => {
          const end = () => { console.log('out ' + n); resolve({ n }) }
          waiting.push(n % 2 ? end : () => setTimeout(end, 20))
          if (waiting.length === 120) for (const go of waiting) go()
        })
      }`)
      const replies = await Promise.all(Array.from({ length: 120 }, (_, n) => container.run({ n })))
      expect(replies.map(reply => [reply.status, reply.body.n])).toEqual(replies.map((_, n) => [200, n]))
      const logs = await container.logs()
      expect(logs.sentinels).toEqual({ stdout: 120, stderr: 120 })
      const [output = ''] = container.output('stdout').split(sentinel)
      expect(output.match(/^(in|out) \d+$/gm)).toHaveLength(240)
    })

    it('[runtime:PROTO-30] tells each of the overlapping runs who it is', async () => {
      const container = await startContainer({ __OW_ALLOW_CONCURRENT: 'true' })
      await container.init(
        `
      const { execFileSync } = require('node:child_process')
      const waiting = []
      async function main(args, context) {
        await new Promise(resolve => {
          waiting.push(resolve)
          if (waiting.length === 20) for (const go of waiting) go()
        })
        await null
        const scope = globalThis[Symbol.for('sluice.activation')].getStore()
        const listed = Object.entries(process.env).find(([name]) => name === '__OW_ACTIVATION_ID')[1]
        const child = args.n % 10 ? process.env.__OW_ACTIVATION_ID : execFileSync('printenv', ['__OW_ACTIVATION_ID']).toString().trim()
        return { ids: [context.activationId, scope.activationId, process.env.__OW_ACTIVATION_ID, listed, child], init: process.env.SOME }
      }`,
        { env: { SOME: 'thing', __OW_ACTIVATION_ID: 'of the init' } },
      )
      const replies = await Promise.all(
        Array.from({ length: 20 }, (_, n) => container.run({ n }, { activation_id: `id${n}` })),
      )
      expect(replies.map(reply => reply.body)).toEqual(
        replies.map((_, n) => ({ ids: Array(5).fill(`id${n}`), init: 'thing' })),
      )
    })

    it('[runtime:PROTO-31] exits at once when told to stop while idle', async () => {
      const container = await startContainer()
      await container.init(silentEcho)
      await container.run()
      const toldMs = performance.now()
      await container.kill('SIGTERM')
      expect(await container.exited).toEqual({ code: 0, signal: null })
      expect(performance.now() - toldMs).toBeLessThan(1000)
    })

    it('[runtime:PROTO-31] answers, then exits when told to stop while running; refuses what is new', async () => {
      const container = await startContainer()
      await container.init(`
      let begun = 0
      process.on('SIGTERM', () => console.log('told'))
      function main() { console.log('begun'); return new Promise(r => setTimeout(r, 500, { done: true })) }`)
      const running = container.run()
      await container.shows('stdout', 'begun')
      await container.kill('SIGTERM')
      await container.shows('stdout', 'told')
      expect((await container.run()).status).toBe(503)
      expect(await running).toMatchObject({ status: 200, body: { done: true } })
      expect(await container.exited).toEqual({ code: 0, signal: null })
      expect((await container.logs()).sentinels).toEqual(once1)
    })

    it('finishes the run of a client that has gone, and stays usable', async () => {
      const container = await startContainer()
      await container.init(`function main({ wait }) {
      if (!wait) return { next: true }
      console.log('begun')
      return new Promise(r => setTimeout(() => { console.log('ended'); r() }, 200))
    }`)
      const socket = container.connect()
      socket.write('POST /run HTTP/1.1\r\nHost: x\r\nContent-Length: 23\r\n\r\n{"value":{"wait":true}}')
      await container.shows('stdout', 'begun')
      socket.destroy()
      await container.shows('stdout', sentinel)
      expect((await container.run()).body).toEqual({ next: true })
      expect((await container.logs()).sentinels).toEqual({ stdout: 2, stderr: 2 })
    })

    it('drops a body that is never finished when told to stop', async () => {
      const container = await startContainer()
      const socket = container.connect()
      socket.write('POST /run HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"val')
      await once(socket, 'connect')
      expect((await container.init(silentEcho)).status).toBe(200)
      await container.kill('SIGTERM')
      socket.destroy()
      expect((await container.exited).code).toBe(0)
    })

    it('hides its own settings from the action', async () => {
      const container = await startContainer()
      await container.init(
        'function main() { return { names: Object.keys(process.env).filter(n => n.startsWith("SLUICE")) } }',
      )
      expect((await container.run()).body).toEqual({ names: [] })
    })
  })
})
