import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { describeWays, dockerWay, processWay, sentinel, tarGz, zip, type TestContainer, type Way } from './index.ts'

/** The proxy by itself, with compilers and actions of the test (runtimes.md §2): as a binary, and in the Python image
 *  without Python's own settings. */

const sources = join(import.meta.dirname, '..', '..', 'proxy')
const image = 'sluice/action-python-v3.11:latest'
const plain = { OW_COMPILER: '', OW_EXECUTION_ENV: '', OW_WAIT_FOR_ACK: '', OW_LOG_INIT_ERROR: '', SLUICE_LAUNCHER: '' }

let built: string | undefined
function builtProxy(): string {
  if (built === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'proxy-'))
    execFileSync('go', ['build', '-o', join(folder, 'proxy'), '.'], { cwd: sources, stdio: 'inherit' })
    built = join(folder, 'proxy')
  }
  return built
}
afterAll(() => {
  if (built !== undefined) rmSync(join(built, '..'), { recursive: true })
})

const hasGo = promisify(execFile)('go', ['version']).then(
  () => true,
  () => false,
)
const asProcess = processWay(
  async () => ((await hasGo) ? undefined : 'needs go: it is not installed'),
  async (folder, socketPath) => ({
    command: builtProxy(),
    args: [],
    env: { __OW_LISTEN_SOCKET: socketPath, SLUICE_BASE: folder },
  }),
)
const inDocker = dockerWay({ image })
const ways: readonly Way[] = [
  asProcess,
  { ...inDocker, start: options => inDocker.start({ ...options, env: { ...plain, ...options?.env } }) },
]

const script = (...lines: string[]): string => `#!/bin/sh\n${lines.join('\n')}\n`
/** Base64, as everything that is no text goes. */
const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64')
const hello = `while read -r line; do echo "name is Demo"; echo '{"main":"Hello, Demo"}' >&3; done`
const identity = `while read -r line; do printf '%s\\n' "$line" >&3; done`
const noBinary = 'The action failed to generate or locate a binary. See logs for details.'
const cannotStart = 'Cannot start action. Check logs for details.'
const once1 = { stdout: 1, stderr: 1 }

const initBinary = (container: TestContainer, code: string) =>
  container.post('/init', { value: { main: 'main', code, binary: true } })

describeWays(ways, way => {
  describe('ActionLoop proxy', () => {
    const compiler = (text: string, env: Record<string, string> = {}) =>
      way.start({ files: { compiler: script(text) }, env: { OW_COMPILER: '{shared}/compiler', ...env } })

    it('[runtime:AL-01] refuses an empty init and a run before any', async () => {
      const container = await way.start()
      expect(await container.post('/init', {})).toMatchObject({
        status: 403,
        body: { error: 'Missing main/no code to execute.' },
      })
      expect(await container.post('/run', {})).toMatchObject({ status: 500, body: { error: 'no action defined yet' } })
    })

    it('[runtime:AL-02] runs a shell script that loops', async () => {
      const container = await way.start()
      expect(await container.init(script(hello))).toMatchObject({ status: 200, text: '{"ok":true}\n' })
      expect(await container.run({ name: 'Demo' })).toMatchObject({ status: 200, body: { main: 'Hello, Demo' } })
      expect(await container.logs()).toEqual({ stdout: 'name is Demo', stderr: '', sentinels: once1 })
    })

    it('[runtime:AL-03] runs the exec of a zip, in its folder', async () => {
      const container = await way.start()
      const program = script('while read -r line; do echo "{\\"text\\":\\"$(cat data.txt)\\"}" >&3; done')
      expect(await container.init(await zip({ exec: { program }, 'data.txt': 'hello' }))).toMatchObject({ status: 200 })
      expect((await container.run()).body).toEqual({ text: 'hello' })
      const without = await way.start()
      expect(await without.init(await zip({ 'data.txt': 'hello' }))).toMatchObject({
        status: 502,
        body: { error: expect.stringMatching(/^cannot start action: .*no such file/) },
      })
    })

    it('[runtime:AL-04] runs a binary', async context => {
      // A program that answers every line with itself: cat, its output moved by a script beside it.
      if (process.platform !== 'linux') return context.skip('needs Linux: the binary of this test is its own cat')
      const container = await way.start()
      const cat = readFileSync('/bin/cat')
      expect((await initBinary(container, base64(cat))).status).toBe(200)
      expect((await container.logs()).stdout).toBe('')
      const wrapped = await way.start()
      const archive = await zip({ cat: { program: cat }, exec: { program: script('exec ./cat >&3') } })
      expect((await wrapped.init(archive)).status).toBe(200)
      expect((await wrapped.run({ a: 1 })).body).toEqual({ value: { a: 1 } })
    })

    it('[runtime:AL-05] refuses bad base64', async () => {
      const container = await way.start()
      expect(await initBinary(container, 'ab$$')).toMatchObject({
        status: 400,
        body: { error: expect.stringMatching(/^cannot decode the request: ./) },
      })
    })

    it('[runtime:AL-06] takes what a compiler prints for its failure', async () => {
      for (const text of ['echo "syntax error"', 'echo "syntax error" >&2; exit 1']) {
        const container = await compiler(text)
        expect(await container.init('source')).toMatchObject({ status: 502, body: { error: 'syntax error\n' } })
        expect(await container.logs()).toMatchObject({ stderr: '', sentinels: once1 })
      }
    })

    it('[runtime:AL-07] tells of a compiler that makes nothing', async () => {
      const container = await compiler('exit 0')
      expect(await container.init('source')).toMatchObject({ status: 502, body: { error: 'cannot compile' } })
      const logged = await compiler('exit 0', { OW_LOG_INIT_ERROR: '1' })
      expect(await logged.init('source')).toMatchObject({ status: 502, body: { error: noBinary } })
      expect(await logged.logs()).toMatchObject({ stderr: 'cannot compile', sentinels: once1 })
    })

    it('[runtime:AL-08] writes the compiler’s words to the log where that is wanted', async () => {
      const container = await compiler('echo "line 1: syntax error"', { OW_LOG_INIT_ERROR: '1' })
      expect(await container.init('source')).toMatchObject({ status: 502, body: { error: noBinary } })
      expect(await container.logs()).toEqual({ stdout: '', stderr: 'line 1: syntax error', sentinels: once1 })
    })

    it('[runtime:AL-09] waits for the acknowledgement', async () => {
      const forms = [
        [`echo '{"ok":true}' >&3; ${hello}`, undefined],
        [`echo '{"ok":false}' >&3; sleep 9`, 'The action did not initialize properly.'],
        ['echo garbage >&3; sleep 9', 'invalid character'],
        ['exit 0', 'Command exited abruptly during initialization.'],
      ] as const
      const container = await way.start({ env: { OW_WAIT_FOR_ACK: '1' } })
      const logged = await way.start({ env: { OW_WAIT_FOR_ACK: '1', OW_LOG_INIT_ERROR: '1' } })
      for (const [text, error] of forms.toReversed()) {
        const reply = await container.init(script(text))
        if (error === undefined) expect(reply.status).toBe(200)
        else {
          expect(reply).toMatchObject({
            status: 502,
            body: { error: expect.stringContaining(`cannot start action: ${error}`) },
          })
          expect(await logged.init(script(text))).toMatchObject({ status: 502, body: { error: cannotStart } })
          await logged.shows('stderr', error)
        }
      }
      expect((await container.run()).status).toBe(200)
      expect((await logged.logs()).sentinels).toEqual({ stdout: 3, stderr: 3 })
    })

    it('[runtime:AL-10] compares the execution environment', async () => {
      const container = await way.start({ env: { OW_EXECUTION_ENV: 'openwhisk/action-x' } })
      const archive = (env: string) => zip({ exec: { program: script(identity) }, 'exec.env': env })
      expect(await container.init(await archive('openwhisk/action-y'))).toMatchObject({
        status: 502,
        body: { error: 'cannot start action: Execution environment version mismatch. See logs for details.' },
      })
      expect(await container.init(script(identity))).toMatchObject({ status: 502 })
      expect(await container.init(await archive('openwhisk/action-x\n'))).toMatchObject({ status: 200 })
    })

    it('[runtime:AL-11] gets back in step after two lines for one request, with an error', async () => {
      const container = await way.start()
      await container.init(
        script(
          'n=0; while read -r line; do n=$((n+1)); printf \'{"n":%s}\\n\' $n >&3; [ $n = 2 ] && { echo "{}" >&3; echo twice; }; done',
        ),
      )
      expect((await container.run()).body).toEqual({ n: 1 })
      expect((await container.run()).body).toEqual({ n: 2 })
      await container.shows('stdout', 'twice')
      expect(await container.run()).toMatchObject({
        status: 502,
        body: { error: 'The action wrote more than one line for a request.' },
      })
      expect((await container.run()).body).toEqual({ n: 3 })
      expect((await container.logs()).sentinels).toEqual({ stdout: 4, stderr: 4 })
    })

    it('[runtime:AL-12] judges lines that are no objects', async () => {
      const container = await way.start()
      await container.init(
        script(`while read -r line; do echo "$line" | sed 's/.*"line":"\\(.*\\)".*/\\1/; s/%/"/g' >&3; done`),
      )
      const error = 'The action did not return a dictionary or array.'
      for (const line of ['%str%', '1', '{bad', '']) {
        expect(await container.run({ line })).toMatchObject({ status: 502, body: { error } })
      }
      expect(await container.run({ line: 'null' })).toMatchObject({ status: 200, text: '{}' })
      expect(await container.run({ line: '[1]' })).toMatchObject({ status: 200, text: '[1]' })
    })

    it('[runtime:AL-13] tells that the child exited between runs', async () => {
      const container = await way.start()
      // It is gone when the proxy has taken it off the process table.
      const watch = '( while kill -0 $$ 2>/dev/null; do sleep 0.01; done; echo gone ) &'
      await container.init(script(watch, `read -r line; echo '{}' >&3`))
      expect((await container.run()).status).toBe(200)
      await container.shows('stdout', 'gone')
      for (let i = 0; i < 2; i++) {
        expect(await container.run()).toMatchObject({ status: 500, body: { error: 'command exited' } })
      }
      expect(await container.init(script(identity))).toMatchObject({ status: 403 })
    })

    it('[runtime:AL-14] tells that the child exited during a run', async () => {
      const container = await way.start()
      await container.init(script('read -r line; echo last words; exit 3'))
      expect(await container.run()).toMatchObject({ status: 400, body: { error: 'command exited' } })
      expect(await container.logs()).toEqual({ stdout: 'last words', stderr: '', sentinels: once1 })
      const closes = await way.start()
      await closes.init(script('read -r line; exec 3>&-; sleep 9'))
      expect(await closes.run()).toMatchObject({ status: 400, body: { error: 'command exited' } })
    })

    it('[runtime:AL-15] keeps line breaks in strings', async () => {
      const container = await way.start()
      await container.init(script(identity))
      const body = JSON.stringify({ value: { text: 'a\nb\r\n☃' } }, null, 2)
      expect((await container.post('/run', body)).body).toEqual({ value: { text: 'a\nb\r\n☃' } })
    })

    it('[runtime:AL-16] shows variables to compiler and child', async () => {
      const container = await compiler(
        `[ "$SOME" = thing ] && [ -n "$PATH" ] || { echo "no environment"; exit 1; }
        cp "$2/exec" "$3/exec"; chmod 755 "$3/exec"`,
        { __OW_API_HOST: 'a=b=c' },
      )
      const source = `# source\nwhile read -r line; do echo "{\\"some\\":\\"$SOME\\",\\"host\\":\\"$__OW_API_HOST\\"}" >&3; done\n`
      const reply = await container.init(`: ; ${source}`, { env: { SOME: 'thing' } })
      // What has no #! is run by nobody: the compiler's result is started as it is.
      expect(reply).toMatchObject({ status: 502, body: { error: expect.stringContaining('exec format error') } })
      const compiles = await compiler(
        `[ "$SOME" = thing ] && [ -n "$PATH" ] || { echo "no environment"; exit 1; }
        { echo '#!/bin/sh'; cat "$2/exec"; } >"$3/exec"; chmod 755 "$3/exec"`,
        { __OW_API_HOST: 'a=b=c' },
      )
      expect((await compiles.init(source, { env: { SOME: 'thing' } })).status).toBe(200)
      expect((await compiles.run()).body).toEqual({ some: 'thing', host: 'a=b=c' })
    })

    it('[runtime:AL-18] unpacks a tar.gz', async () => {
      const container = await way.start()
      expect(await container.init(await tarGz({ exec: { program: script(identity) } }))).toMatchObject({ status: 200 })
      expect((await container.run([1])).body).toEqual({ value: [1] })
    })

    it('[runtime:AL-19] keeps a jar and unpacks a zip that is none', async () => {
      const container = await compiler(
        `{ echo '#!/bin/sh'; echo "echo \\"$(ls $2 | tr '\\n' ' ')\\""; echo '${hello}'; } >"$3/exec"; chmod 755 "$3/exec"`,
        { OW_SAVE_JAR: 'exec.jar' },
      )
      await container.init(await zip({ 'META-INF/MANIFEST.MF': 'Manifest-Version: 1.0\n', 'A.class': '' }))
      await container.shows('stdout', 'exec.jar')
      const unpacked = await compiler(
        `{ echo '#!/bin/sh'; echo "echo \\"$(ls $2 | tr '\\n' ' ')\\""; echo '${hello}'; } >"$3/exec"; chmod 755 "$3/exec"`,
        { OW_SAVE_JAR: 'exec.jar' },
      )
      await unpacked.init(await zip({ 'A.class': '', 'B.class': '' }))
      await unpacked.shows('stdout', 'A.class B.class')
    })

    it('[runtime:AL-20] takes other code after a failed init', async () => {
      const container = await way.start()
      expect((await container.init('#!/no/such/program')).status).toBe(502)
      expect((await container.init(script(hello))).status).toBe(200)
      expect((await container.run()).body).toEqual({ main: 'Hello, Demo' })
    })

    it('writes a sentinel after each run, byte for byte', async () => {
      const container = await way.start()
      await container.init(script(`while read -r line; do printf open; printf bad >&2; echo '{}' >&3; done`))
      await container.run()
      await container.run()
      await container.logs()
      expect(container.output('stdout')).toBe(`open\n${sentinel}\nopen\n${sentinel}\n`)
      expect(container.output('stderr')).toBe(`bad\n${sentinel}\nbad\n${sentinel}\n`)
    })
  })
})

describeWays([inDocker], way => {
  describe('precompiled actions', () => {
    it('[runtime:AL-17] compiles source from stdin into a zip that starts without the compiler', async () => {
      const arguments_ = ['run', '--rm', '-i', '--network', 'none', image, '-compile', 'niam']
      const source = 'def niam(args): return {"args": args}'
      const archive = execFileSync('docker', arguments_, { input: source })
      const container = await way.start({ env: { OW_COMPILER: '/no/compiler', SLUICE_LAUNCHER: '' } })
      expect(await container.init(archive.toString('base64'))).toMatchObject({ status: 200 })
      expect((await container.run({ a: 1 })).body).toEqual({ args: { a: 1 } })
      const launched = await way.start()
      expect(await launched.init(archive.toString('base64'))).toMatchObject({ status: 200 })
      expect((await launched.run({ a: 1 })).body).toEqual({ args: { a: 1 } })
    })

    it('speaks lines as well as frames', async () => {
      const container = await way.start({ env: { SLUICE_LAUNCHER: '' } })
      await container.init('def main(args): return {"set": {1}} if args else None')
      expect(await container.run()).toMatchObject({ status: 200, text: '{}' })
      expect(await container.run({ a: 1 })).toMatchObject({
        status: 200,
        body: { error: expect.stringContaining('not JSON') },
      })
    })
  })
})
