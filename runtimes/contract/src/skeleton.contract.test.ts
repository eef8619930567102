import { describe, expect, it } from 'vitest'
import { describeWays, dockerWay, sentinel, startDocker, zip } from './index.ts'

/** The Docker skeleton and images made of it (runtimes.md §5.11, §7.3). */

const image = 'sluice/action-skeleton:latest'
const skeleton = dockerWay({ image })
const stub = { error: 'This is a stub action. Replace it with custom logic.' }
const notDictionary = { error: 'The action did not return a dictionary or array.' }
const once1 = { stdout: 1, stderr: 1 }

const samples: [string, string, string, string][] = [
  [
    'bash',
    '#!/bin/bash\necho hello stdout\necho hello stderr >&2\nread -r input\necho "$1"',
    '#!/bin/bash\necho "{\\"id\\":\\"$__OW_ACTIVATION_ID\\",\\"host\\":\\"$__OW_API_HOST\\",\\"some\\":\\"$SOME\\"}"',
    '#!/bin/bash\ncat',
  ],
  [
    'python',
    '#!/usr/bin/env python3\nimport sys\nprint("hello stdout")\nprint("hello stderr", file=sys.stderr)\nprint(sys.argv[1])',
    '#!/usr/bin/env python3\nimport json, os\nprint(json.dumps({"id": os.environ["__OW_ACTIVATION_ID"], "host": os.environ["__OW_API_HOST"], "some": os.environ["SOME"]}))',
    '#!/usr/bin/env python3\nimport sys\nprint(sys.stdin.read())',
  ],
  [
    'perl',
    '#!/usr/bin/perl\nprint "hello stdout\\n";\nprint STDERR "hello stderr\\n";\nprint $ARGV[0] . "\\n";',
    '#!/usr/bin/perl\nprint "{\\"id\\":\\"$ENV{__OW_ACTIVATION_ID}\\",\\"host\\":\\"$ENV{__OW_API_HOST}\\",\\"some\\":\\"$ENV{SOME}\\"}\\n";',
    '#!/usr/bin/perl\nprint <STDIN>;',
  ],
]

describeWays([skeleton], (way, start) => {
  describe('Docker skeleton', () => {
    it('[runtime:SKEL-01] runs its stub without an init', async () => {
      const container = await start()
      expect(await container.run()).toMatchObject({ status: 200, body: stub })
      const logs = await container.logs()
      expect(logs.stdout).toContain('This is a stub action')
      expect(logs.sentinels).toEqual(once1)
    })

    it('[runtime:SKEL-02] keeps its stub after an init without code', async () => {
      for (const body of [{ value: { name: 'x', main: 'main', code: null } }, {}]) {
        const container = await start()
        expect(await container.post('/init', body)).toMatchObject({ status: 200, text: 'OK' })
        expect(await container.run()).toMatchObject({ status: 200, body: stub })
      }
    })

    it('[runtime:SKEL-03] refuses an argument that is no object', async () => {
      const container = await start()
      expect(await container.run('A')).toMatchObject({
        status: 404,
        body: { error: 'The action did not receive a dictionary or array as an argument.' },
      })
      expect(await container.logs()).toEqual({ stdout: '', stderr: '', sentinels: once1 })
    })

    it('[runtime:SKEL-04] takes empty code for a program, which then cannot run', async () => {
      const container = await start()
      expect(await container.post('/init', { value: { code: '' } })).toMatchObject({ status: 200, text: 'OK' })
      expect(await container.run(null)).toMatchObject({ status: 502, body: notDictionary })
      const logs = await container.logs()
      expect(logs.stdout).toContain('error')
      expect(logs.sentinels).toEqual(once1)
    })

    it('[runtime:SKEL-05] runs the exec of a zip', async () => {
      const container = await start()
      const program = `#!/bin/bash\necho "This is an example zip used with the docker skeleton action."\ncat result.json`
      const archive = await zip({ exec: { program }, 'result.json': '{ "msg": "hello zip" }\n' })
      expect((await container.init(archive)).status).toBe(200)
      expect(await container.run()).toMatchObject({ status: 200, body: { msg: 'hello zip' } })
      expect((await container.logs()).stdout).toBe('This is an example zip used with the docker skeleton action.')
    })

    it('[runtime:SKEL-06] works in /action', async () => {
      const container = await start()
      await container.init('#!/bin/bash\necho "{\\"pwd_env\\":\\"$PWD\\",\\"pwd_cmd\\":\\"$(pwd)\\"}"')
      expect((await container.run()).body).toEqual({ pwd_env: '/action', pwd_cmd: '/action' })
    })

    it('[runtime:SKEL-07] returns and takes arrays', async () => {
      const container = await start({ PROXY_ALLOW_REINIT: '1' })
      await container.init('#!/bin/bash\necho \'["a", "b"]\'')
      expect(await container.run()).toMatchObject({ status: 200, body: ['a', 'b'] })
      await container.init('#!/bin/bash\necho "$1"')
      expect(await container.run(['a', 'b'])).toMatchObject({ status: 200, body: ['a', 'b'] })
    })

    it.each(samples)('[runtime:SKEL-08] runs %s', async (_, echo, environment, stdin) => {
      const container = await start({ PROXY_ALLOW_REINIT: '1', __OW_API_HOST: 'host?a=b=c' })
      expect((await container.init(echo, { main: 'ignored' })).status).toBe(200)
      for (const value of [{ string: 'hello' }, { string: '❄ ☃ ❄' }, { numbers: [42, 1] }, { object: { a: 'A' } }]) {
        expect(await container.run(value)).toMatchObject({ status: 200, body: value })
      }
      await container.shows('stdout', `hello stdout\n${sentinel}\n`.repeat(4))
      await container.shows('stderr', `hello stderr\n${sentinel}\n`.repeat(4))
      await container.init(environment, { env: { SOME: 'thing' } })
      expect((await container.run({}, { activation_id: 'abc' })).body).toEqual({
        id: 'abc',
        host: 'host?a=b=c',
        some: 'thing',
      })
      await container.init(stdin)
      const arg = 'a'.repeat(1_048_561)
      expect((await container.run({ arg })).body.arg === arg).toBe(true)
    })

    it('[runtime:SKEL-09] runs the program that a derived image brings', async () => {
      // What such an image has at /action/exec, without building one: nothing hides the folder that the test shares.
      const program = `#!/bin/sh
echo 'This is an example log message from an arbitrary C program!'
echo "{ \\"msg\\": \\"Hello from arbitrary C program!\\", \\"args\\": $1 }"
`
      const derived = () => way.start({ files: { exec: program }, env: { SLUICE_SKELETON: '{shared}' } })
      const cold = await derived()
      const msg = 'Hello from arbitrary C program!'
      expect((await cold.run()).body).toEqual({ msg, args: {} })
      const container = await derived()
      expect((await container.post('/init', { value: { name: 'x', main: 'main' } })).status).toBe(200)
      for (const args of [{ b: 'a' }, { c: [1] }]) expect((await container.run(args)).body).toEqual({ msg, args })
      const logs = await container.logs()
      expect(logs.stdout).toBe(Array(2).fill('This is an example log message from an arbitrary C program!').join('\n'))
      expect(logs.sentinels).toEqual({ stdout: 2, stderr: 2 })
    })

    /** A server of a user, as bad as they come. */
    const badServer = (body: string) => `
import http.server, os, socket, socketserver, sys, time
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    def get_request(self):
        return self.socket.accept()[0], ('', 0)
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass
    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        where = self.path[1:]
${body}
        self.send_response(200)
        self.send_header('Content-Length', '2')
        self.end_headers()
        self.wfile.write(b'{}')
server = Server(os.environ['__OW_LISTEN_SOCKET'], Handler)
os.chmod(os.environ['__OW_LISTEN_SOCKET'], 0o666)
server.serve_forever()
`
    const bad = (body: string, env: Record<string, string>) =>
      startDocker(
        { image, command: ['python3', '/shared/server.py'] },
        { files: { 'server.py': badServer(body) }, env },
      )
    const timedOut = (reply: Promise<unknown>) =>
      Promise.race([reply.then(() => 'answered'), new Promise(resolve => setTimeout(resolve, 300, 'timed out'))])

    it('[runtime:SKEL-10] lets an image sleep in init or run until its time is over', async () => {
      for (const where of ['init', 'run']) {
        const container = await bad(
          `        if where == os.environ['WHERE']:\n            print('sleeping', flush=True)\n            time.sleep(60)`,
          { WHERE: where },
        )
        if (where === 'run') expect((await container.init('x')).status).toBe(200)
        const reply = where === 'init' ? container.init('x') : container.run()
        reply.catch(() => undefined)
        expect(await timedOut(reply)).toBe('timed out')
        expect((await container.logs()).stdout).toBe('sleeping')
      }
    })

    it('[runtime:SKEL-11] sees an image exit in init or run', async () => {
      for (const where of ['init', 'run']) {
        const container = await bad(
          `        if where == os.environ['WHERE']:\n            print('exit', flush=True)\n            os._exit(1)`,
          { WHERE: where },
        )
        if (where === 'run') expect((await container.init('x')).status).toBe(200)
        await expect(where === 'init' ? container.init('x') : container.run()).rejects.toThrow('socket hang up')
        expect((await container.exited).code).toBe(1)
        expect((await container.logs()).stdout).toBe('exit')
      }
    })

    it('[runtime:SKEL-12] gets no answer from an image that never gives one', async () => {
      const container = await bad('        time.sleep(60)', {})
      const reply = container.init('x')
      reply.catch(() => undefined)
      expect(await timedOut(reply)).toBe('timed out')
      expect(await container.logs()).toEqual({ stdout: '', stderr: '', sentinels: { stdout: 0, stderr: 0 } })
    })

    it('[runtime:SKEL-13] gives the input as argument up to 131071 characters, and always on stdin', async () => {
      const container = await start()
      await container.init(
        '#!/bin/bash\nread -r input\necho "{\\"arguments\\":$#,\\"argument\\":${#1},\\"stdin\\":${#input}}"',
      )
      const empty = JSON.stringify({ a: '' }).length
      for (const [length, given] of [
        [131_071, 1],
        [131_072, 0],
      ] as const) {
        expect((await container.run({ a: 'x'.repeat(length - empty) })).body).toEqual({
          arguments: given,
          argument: given * length,
          stdin: length,
        })
      }
    })

    it('[runtime:SKEL-14] ignores the exit code where the last line is a result', async () => {
      const container = await start()
      await container.init('#!/bin/bash\necho \'{"fine":true}\'\nexit 1')
      expect(await container.run()).toMatchObject({ status: 200, body: { fine: true } })
    })

    it('[runtime:SKEL-15] takes all lines but the last for the log', async () => {
      const container = await start()
      await container.init('#!/bin/bash\necho one\necho\necho \'{"not":"yet"}\'\necho \'{"last":1}\'')
      expect((await container.run()).body).toEqual({ last: 1 })
      await container.logs()
      expect(container.output('stdout')).toBe(`one\n\n{"not":"yet"}\n${sentinel}\n`)
      const other = await start()
      await other.init('#!/bin/bash\necho one\nprintf two')
      expect(await other.run()).toMatchObject({ status: 502, body: notDictionary })
      await other.logs()
      expect(other.output('stdout')).toBe(`one\ntwo\n${sentinel}\n`)
    })

    it('[runtime:SKEL-16] allows a second init only where that is switched on', async () => {
      const first = '#!/bin/bash\necho \'{"n":1}\''
      const second = '#!/bin/bash\necho \'{"n":2}\''
      const container = await start()
      await container.init(first)
      expect(await container.init(second)).toMatchObject({
        status: 403,
        body: { error: 'Cannot initialize the action more than once.' },
      })
      expect((await container.run()).body).toEqual({ n: 1 })
      const free = await start({ PROXY_ALLOW_REINIT: '1' })
      await free.init(first)
      expect((await free.init(second)).status).toBe(200)
      expect((await free.run()).body).toEqual({ n: 2 })
    })

    it('[runtime:SKEL-17] refuses a zip whose exec cannot be executed', async () => {
      const container = await start()
      expect(await container.init(await zip({ exec: '#!/bin/bash\necho {}' }))).toMatchObject({
        status: 502,
        body: { error: 'The action failed to generate or locate a binary. See logs for details.' },
      })
      expect((await container.logs()).sentinels).toEqual(once1)
    })
  })
})
