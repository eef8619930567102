import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { renameEntry, tarGz, zip, type Files } from './archives.ts'
import { sentinel, type Way } from './container.ts'
import { describeWays } from './ways.ts'

/** Code of a language, by what it does. Each has the entry `main` unless it is said. */
export type Programs = {
  /** Prints `hello stdout` and `hello stderr`, and returns its argument. */
  readonly echo: string
  readonly silentEcho: string
  /** As `silentEcho`, with the entry `niam`. */
  readonly niam: string
  /** The files of an archive that does as `silentEcho`. */
  readonly archive: Files
  /** Returns these variables of the environment, by name. */
  readonly variables: (names: readonly string[]) => string
  /** Returns all variables as they were when it was loaded. */
  readonly variablesAtLoad: string
  readonly returnsText: string
  /** Returns and prints `{winter: <delimiter> ☃ <delimiter>}`. */
  readonly winter: string
  /** Returns `{args: <its argument>}`. */
  readonly wraps: string
  readonly returnsList: string
  readonly returnsError: string
  readonly returnsNothing: string
  /** Prints `loading` when it is loaded; then `n` to stdout and `-n` to stderr. */
  readonly prints: string
  /** Writes `text` to both streams as it is. */
  readonly writes: string
  /** Prints 5,120 lines of 1,023 characters, and returns 1 MiB as `result`. */
  readonly muchOutput: string
  /** Returns how much memory it has in bytes and how many open files, as `{bytes, descriptors}`. */
  readonly measures: string
  /** Prints `begun`, and returns `{n: 1}` half a second later. */
  readonly slow: string
  /** With `wait`: as `slow`, returning nothing. Else returns `{next: true}`. */
  readonly slowIfTold: string
}

/** What languages answer in words of their own (runtimes.md §1.2, §1.3). */
export type Answers = {
  readonly initialised: string
  /** A line on stderr when it is initialised again. */
  readonly initialisedAgain: string
  readonly uninitialised: Answer
  readonly noDictionary: string
  readonly noMethod: Answer
  readonly noPath: Answer
  /** Bodies of /init that are refused without any harm. */
  readonly badInits: readonly string[]
  readonly badInit: Answer
  readonly badZip: string
  readonly badTar: string
}

export type Answer = { readonly status: number; readonly error: string | RegExp }

export type ProtocolUnderTest = {
  readonly name: string
  readonly ways: readonly Way[]
  readonly programs: Programs
  readonly answers: Answers
  /** Variables of a container in which runs may overlap as little as in any other. */
  readonly overlapRefused?: Readonly<Record<string, string>>
}

/** As large as a body of /init may be (runtimes.md §1.1). */
const bodyBytesMax = 80 * 1024 * 1024
const once1 = { stdout: 1, stderr: 1 }
const none = { stdout: 0, stderr: 0 }
const missing = { error: 'Missing main/no code to execute.' }

/** What every runtime passes (runtimes.md §8, R-PROTO), but for what a language does in its own way. */
export function protocolContract({ name, ways, programs, answers, overlapRefused = {} }: ProtocolUnderTest): void {
  describeWays(ways, (_, startContainer) => {
    describe(`every runtime, ${name}: /init`, () => {
      it('[runtime:PROTO-01] refuses an init with empty code', async () => {
        const container = await startContainer()
        expect(await container.init('')).toMatchObject({ status: 403, body: missing })
        expect((await container.logs()).sentinels).toEqual(none)
      })

      it('[runtime:PROTO-02] refuses an init without content, and a run after it', async () => {
        const container = await startContainer()
        expect(await container.post('/init', {})).toMatchObject({ status: 403, body: missing })
        expect(await container.run()).toMatchObject(reply(answers.uninitialised))
        expect(await container.init(programs.silentEcho)).toMatchObject({ status: 200, text: answers.initialised })
      })

      it('[runtime:PROTO-04] refuses a second init and goes on with the first code', async () => {
        const container = await startContainer()
        expect((await container.init(programs.echo)).status).toBe(200)
        const error = 'Cannot initialize the action more than once.'
        expect(await container.init(programs.returnsError)).toMatchObject({ status: 403, body: { error } })
        expect(container.output('stdout') + container.output('stderr')).not.toContain(sentinel)
        expect((await container.run({ first: true })).body).toEqual({ first: true })
        const logs = await container.logs()
        expect(logs.stderr).toContain(answers.initialisedAgain)
        expect(logs.sentinels).toEqual(once1)
      })

      it('[runtime:PROTO-05] runs an entry of another name', async () => {
        const container = await startContainer()
        await container.init(programs.niam, { main: 'niam' })
        expect((await container.run({ string: 'hello' })).body).toEqual({ string: 'hello' })
        expect((await container.logs()).stderr).toBe('')
      })

      it('[runtime:PROTO-08] [runtime:PROTO-23] shows the variables of the init, line breaks and = included', async () => {
        const container = await startContainer()
        const env = { SOME_VAR: 'xyz', ANOTHER_VAR: '', ODD: 'a=b=c\nd=e' }
        await container.init(programs.variables(Object.keys(env)), { env })
        expect((await container.run()).body).toEqual(env)
      })

      it('[runtime:PROTO-12] can be initialised after a body that is not JSON', async () => {
        const container = await startContainer()
        for (const body of answers.badInits)
          expect(await container.post('/init', body)).toMatchObject(reply(answers.badInit))
        expect((await container.init(programs.silentEcho)).status).toBe(200)
      })

      it('[runtime:PROTO-22] turns variables that are no strings into text, before any user code', async () => {
        const container = await startContainer()
        const env = { ZERO: 0, NO: false, NUMBER: 1.5, OBJECT: { a: [1, 'x'] }, NOTHING: null }
        await container.init(programs.variablesAtLoad, { env })
        expect((await container.run()).body).toMatchObject({
          ZERO: '0',
          NO: 'false',
          NUMBER: '1.5',
          OBJECT: '{"a":[1,"x"]}',
          NOTHING: '',
        })
      })

      it('[runtime:PROTO-32] refuses archives that reach outside of their folder', async () => {
        const { badZip, badTar } = answers
        const replies = await Promise.all(
          (await hostileArchives(programs.archive)).map(async ([kind, code]) => {
            const container = await startContainer()
            const { status, body } = await container.init(code)
            return { kind, status, error: body.error as string, sentinels: (await container.logs()).sentinels }
          }),
        )
        for (const { kind, ...refusal } of replies)
          expect(refusal).toEqual({ status: 502, error: kind === 'zip' ? badZip : badTar, sentinels: once1 })
      })

      it('[runtime:PROTO-33] takes 48 MiB of code', async () => {
        const container = await startContainer()
        const bulk = randomBytes(47 * 1024 * 1024 + 1000 * 1024)
        const code = await zip({ ...programs.archive, bulk }, { compress: false })
        expect(Buffer.byteLength(code)).toBeGreaterThan(63 * 1024 * 1024)
        expect((await container.init(code)).status).toBe(200)
        expect((await container.run({ ok: true })).body).toEqual({ ok: true })
      })

      it('answers 413 to a body over its limit and serves the next request', async () => {
        const container = await startContainer()
        const refused = await container.post('/init', 'x'.repeat(bodyBytesMax + 1))
        expect(refused).toMatchObject({ status: 413, body: { error: expect.stringContaining('exceeds') } })
        expect((await container.init(programs.silentEcho)).status).toBe(200)
      })
    })

    describe(`every runtime, ${name}: /run`, () => {
      it('[runtime:PROTO-03] refuses a result that is no object', async () => {
        const container = await startContainer()
        await container.init(programs.returnsText)
        expect(await container.run()).toMatchObject({ status: 502, body: { error: answers.noDictionary } })
        const logs = await container.logs()
        expect(logs.sentinels).toEqual(once1)
        expect(logs.stdout).toBe('')
      })

      it('[runtime:PROTO-06] echoes values and keeps both streams apart', async () => {
        const container = await startContainer()
        await container.init(programs.echo)
        const values = [{ string: 'hello' }, { string: '❄ ☃ ❄' }, { numbers: [42, 1] }, { object: { a: 'A' } }]
        for (const value of values) expect(await container.run(value)).toMatchObject({ status: 200, body: value })
        const logs = await container.logs()
        expect(logs.stdout).toBe(Array(4).fill('hello stdout').join('\n'))
        expect(logs.stderr).toBe(Array(4).fill('hello stderr').join('\n'))
        expect(logs.sentinels).toEqual({ stdout: 4, stderr: 4 })
      })

      it('[runtime:PROTO-07] speaks UTF-8', async () => {
        const container = await startContainer()
        await container.init(programs.winter)
        expect((await container.run({ delimiter: '❄' })).body).toEqual({ winter: '❄ ☃ ❄' })
        expect((await container.logs()).stdout).toBe('❄ ☃ ❄')
      })

      it('[runtime:PROTO-09] exports the context of the activation', async () => {
        const container = await startContainer({ __OW_API_HOST: 'http://xyz?a=b=c' })
        const fields = {
          api_key: 'abc',
          namespace: 'zzz',
          action_name: 'xxx',
          action_version: '0.0.1',
          activation_id: 'iii',
          deadline: '123',
        }
        const variables = Object.fromEntries(
          Object.entries(fields).map(([field, value]) => [`__OW_${field.toUpperCase()}`, value]),
        )
        await container.init(programs.variables(['__OW_API_HOST', ...Object.keys(variables)]))
        expect((await container.run({}, fields)).body).toEqual({ __OW_API_HOST: 'http://xyz?a=b=c', ...variables })
        const overridden = await container.run({}, { ...fields, api_host: 'other' })
        expect(overridden.body.__OW_API_HOST).toBe('other')
      })

      it('[runtime:PROTO-10] takes a large input', async () => {
        const container = await startContainer()
        await container.init(programs.silentEcho)
        const arg = 'a'.repeat(1_048_561)
        expect((await container.run({ arg })).body.arg === arg).toBe(true)
      })

      it('[runtime:PROTO-11] answers other methods and paths with an error', async () => {
        const container = await startContainer()
        for (const [method, path] of [
          ['GET', '/init'],
          ['GET', '/run'],
          ['PUT', '/run'],
        ] as const)
          expect(await container.post(path, '', method)).toMatchObject(reply(answers.noMethod))
        expect(await container.post('/foo', '')).toMatchObject(reply(answers.noPath))
      })

      it('[runtime:PROTO-13] gives {} for an absent or null value', async () => {
        const container = await startContainer()
        await container.init(programs.wraps)
        expect((await container.post('/run', {})).body).toEqual({ args: {} })
        expect((await container.run(null)).body).toEqual({ args: {} })
        expect((await container.post('/run', '')).body).toEqual({ args: {} })
      })

      it('[runtime:PROTO-14] takes an array', async () => {
        const container = await startContainer()
        await container.init(programs.silentEcho)
        expect(await container.run(['a', { b: 1 }])).toMatchObject({ status: 200, body: ['a', { b: 1 }] })
      })

      it('[runtime:PROTO-15] returns an array', async () => {
        const container = await startContainer()
        await container.init(programs.returnsList)
        expect(await container.run()).toMatchObject({ status: 200, body: ['a', 'b'] })
      })

      it('[runtime:PROTO-16] returns an error of the application as it is', async () => {
        const container = await startContainer()
        await container.init(programs.returnsError)
        expect(await container.run()).toMatchObject({ status: 200, body: { error: 'sorry' } })
      })

      it('[runtime:PROTO-17] makes {} of nothing', async () => {
        const container = await startContainer()
        await container.init(programs.returnsNothing)
        expect(await container.run()).toMatchObject({ status: 200, text: '{}' })
      })

      it('[runtime:PROTO-18] says length and type of every answer', async () => {
        const container = await startContainer()
        const init = await container.init(programs.silentEcho)
        const run = await container.run({ snow: '☃' })
        const refused = await container.init(programs.echo)
        for (const { headers, text } of [init, run, refused]) {
          expect(headers['content-type']).toBe('application/json')
          expect(headers['content-length']).toBe(String(Buffer.byteLength(text)))
          expect(headers['transfer-encoding']).toBeUndefined()
        }
      })

      it('[runtime:PROTO-19] writes one sentinel for each run after its output, byte for byte', async () => {
        const container = await startContainer()
        await container.init(programs.prints)
        for (const n of [1, 2, 3]) await container.run({ n })
        await container.logs()
        expect(container.output('stdout')).toBe(`loading\n1\n${sentinel}\n2\n${sentinel}\n3\n${sentinel}\n`)
        expect(container.output('stderr')).toBe(`-1\n${sentinel}\n-2\n${sentinel}\n-3\n${sentinel}\n`)
      })

      it('[runtime:PROTO-20] begins a line for the sentinel', async () => {
        const container = await startContainer()
        await container.init(programs.writes)
        for (const text of ['open', 'closed\n', '']) await container.run({ text })
        await container.logs()
        const expected = `open\n${sentinel}\nclosed\n${sentinel}\n${sentinel}\n`
        expect(container.output('stdout')).toBe(expected)
        expect(container.output('stderr')).toBe(expected)
      })

      it('[runtime:PROTO-24] exports context fields that are no strings as JSON', async () => {
        const container = await startContainer()
        await container.init(programs.variables(['__OW_DEADLINE', '__OW_EXTRA']))
        expect((await container.run({}, { deadline: 123, extra: { a: [true, null] } })).body).toEqual({
          __OW_DEADLINE: '123',
          __OW_EXTRA: '{"a":[true,null]}',
        })
      })

      it('[runtime:PROTO-26] loses nothing of a long log and a large result', async () => {
        const container = await startContainer()
        await container.init(programs.muchOutput)
        expect((await container.run()).body.result).toHaveLength(1024 * 1024)
        await container.shows('stdout', sentinel)
        await container.logs()
        expect(container.output('stdout')).toHaveLength(5 * 1024 * 1024 + sentinel.length + 1)
      })

      it('[runtime:PROTO-27] keeps memory and descriptors over 200 runs', async () => {
        const container = await startContainer()
        await container.init(programs.measures)
        const run = async () => (await container.run({ text: 'x'.repeat(10_000) })).body
        for (let i = 0; i < 20; i++) await run()
        const before = await run()
        for (let i = 0; i < 200; i++) await run()
        const after = await run()
        expect(after.bytes - before.bytes).toBeLessThan(1_000_000)
        expect(after.descriptors).toBe(before.descriptors)
      })

      it('[runtime:PROTO-28] refuses an overlapping run without disturbing the first', async () => {
        const container = await startContainer(overlapRefused)
        await container.init(programs.slow)
        const first = container.run()
        await container.shows('stdout', 'begun')
        expect(await container.run()).toMatchObject({
          status: 403,
          body: { error: 'System not ready, status is running.' },
        })
        expect(await first).toMatchObject({ status: 200, body: { n: 1 } })
        expect((await container.logs()).sentinels).toEqual(once1)
      })

      it('[runtime:PROTO-31] exits at once when told to stop while idle', async () => {
        const container = await startContainer()
        await container.init(programs.silentEcho)
        await container.run()
        const toldMs = performance.now()
        await container.kill('SIGTERM')
        expect(await container.exited).toEqual({ code: 0, signal: null })
        expect(performance.now() - toldMs).toBeLessThan(1000)
      })

      it('[runtime:PROTO-31] answers, then exits when told to stop while running; refuses what is new', async () => {
        const container = await startContainer()
        await container.init(programs.slow)
        const running = container.run()
        await container.shows('stdout', 'begun')
        await container.kill('SIGTERM')
        // Until the signal has reached it, it only says that it is busy.
        let refused = await container.run()
        while (refused.status === 403) refused = await container.run()
        expect(refused.status).toBe(503)
        expect(await running).toMatchObject({ status: 200, body: { n: 1 } })
        expect(await container.exited).toEqual({ code: 0, signal: null })
        expect((await container.logs()).sentinels).toEqual(once1)
      })

      it('finishes the run of a client that has gone, and stays usable', async () => {
        const container = await startContainer()
        await container.init(programs.slowIfTold)
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
        await container.init(programs.variablesAtLoad)
        const names = Object.keys((await container.run()).body as object)
        expect(names).not.toEqual([])
        expect(names.filter(variable => /SLUICE|LISTEN/.test(variable))).toEqual([])
      })
    })
  })
}

function reply({ status, error }: Answer): object {
  return { status, body: { error: typeof error === 'string' ? error : expect.stringMatching(error) } }
}

/** Archives, each with its kind, that mean harm beside what `main` is, or are cut short. */
async function hostileArchives(main: Files): Promise<(readonly ['zip' | 'tar', string])[]> {
  const zips = [
    renameEntry(await zip({ ...main, 'aa/x': 'up' }), 'aa/x', '../x'),
    renameEntry(await zip({ ...main, 'a/x': 'absolute' }), 'a/x', '//x'),
    await zip({ ...main, passwd: { link: '/etc/passwd' } }),
    await zip({ ...main, up: { link: '../..' } }),
    await zip({ ...main, 'deep/here': { link: '..' }, 'deep/here/out': { link: 'x' } }),
    await zip({ ...main, 'deep/here': { link: '..' }, out: { link: 'deep/here/../x' } }),
    await zip({ ...main, sub: { link: '.' }, 'sub/file': 'through a link' }),
    Buffer.from(await zip(main), 'base64')
      .subarray(0, -30)
      .toString('base64'),
  ]
  const tars = [
    await tarGz({ ...main, '../x': 'up' }),
    await tarGz({ ...main, '/tmp/x': 'absolute' }),
    await tarGz({ ...main, passwd: { link: '/etc/passwd' } }),
    await tarGz(main, [{ name: 'copy', type: 'link', linkname: '../../x' }]),
    await tarGz(main, [{ name: 'device', type: 'character-device' }]),
  ]
  return [...zips.map(code => ['zip', code] as const), ...tars.map(code => ['tar', code] as const)]
}
