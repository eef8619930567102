import { describeWays, protocolContract, sentinel, zip } from '@sluice/runtime-contract'
import { describe, expect, it } from 'vitest'
import { answers, programs } from './testing/programs.ts'
import { ways } from './testing/ways.ts'

const once1 = { stdout: 1, stderr: 1 }

// The proxy runs one at a time, whatever it is told.
const overlapRefused = { __OW_ALLOW_CONCURRENT: 'true' }
protocolContract({ name: 'Python', ways, programs, answers, overlapRefused })

describeWays(ways, (_, startContainer) => {
  describe('Python, in its own way', () => {
    it('[runtime:PROTO-21] tells why code cannot be loaded, and takes other code', async () => {
      const container = await startContainer()
      expect(await container.init('raise ValueError("not today")\ndef main(args): return {}')).toMatchObject({
        status: 502,
        body: { error: 'Cannot start action. Check logs for details.' },
      })
      await container.shows('stderr', 'ValueError: not today')
      expect((await container.init(programs.silentEcho)).status).toBe(200)
      expect((await container.logs()).sentinels).toEqual(once1)
    })

    it('[runtime:PROTO-32] says in the log what was wrong with an archive, and takes another', async () => {
      const container = await startContainer()
      for (const link of ['/etc/passwd', '../..'])
        expect((await container.init(await zip({ ...programs.archive, there: { link } }))).status).toBe(502)
      expect((await container.init(await zip(programs.archive))).status).toBe(200)
      const logs = await container.logs()
      expect(logs.stderr.match(/leaves the archive/g)).toHaveLength(2)
      expect(logs.sentinels).toEqual({ stdout: 2, stderr: 2 })
    })

    it('[runtime:PROTO-13] refuses a body that is no JSON', async () => {
      const container = await startContainer()
      await container.init(programs.silentEcho)
      expect(await container.post('/run', '{')).toMatchObject({ status: 400 })
    })

    it('[runtime:PROTO-20] begins a line for the sentinel also after output of other programs', async () => {
      const container = await startContainer()
      await container.init(`import subprocess, sys
def main(args):
    sys.stdout.write(args['text'])
    sys.stdout.flush()
    subprocess.run(['printf', '%s', args['text']])
`)
      for (const text of ['open', 'closed\n', '']) await container.run({ text })
      await container.logs()
      expect(container.output('stdout')).toBe(`openopen\n${sentinel}\nclosed\nclosed\n${sentinel}\n${sentinel}\n`)
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

    it('[runtime:PROTO-28] refuses an init during a run', async () => {
      const container = await startContainer()
      await container.init(programs.slow)
      const first = container.run()
      await container.shows('stdout', 'begun')
      expect(await container.init(programs.silentEcho)).toMatchObject({
        status: 403,
        body: { error: 'System not ready, status is running.' },
      })
      expect(await first).toMatchObject({ status: 200, body: { n: 1 } })
      expect((await container.logs()).sentinels).toEqual(once1)
    })
  })
})
