import { once } from 'node:events'
import { describeWays, protocolContract, sentinel } from '@sluice/runtime-contract'
import { describe, expect, it } from 'vitest'
import { answers, programs } from './testing/programs.ts'
import { ways } from './testing/ways.ts'

const once1 = { stdout: 1, stderr: 1 }

protocolContract({ name: 'Node.js', ways, programs, answers })

describeWays(ways, (_, startContainer) => {
  describe('Node.js, in its own way', () => {
    it('[runtime:PROTO-21] tells why code cannot be loaded, then stays stopped', async () => {
      const container = await startContainer()
      const reply = await container.init('throw new Error("not today"); function main() {}')
      expect(reply.status).toBe(502)
      expect(reply.body.error).toMatch(/^Initialization has failed due to: Error: not today\n {4}at /)
      expect(await container.init(programs.silentEcho)).toMatchObject({
        status: 403,
        body: { error: 'System not ready, status is stopped.' },
      })
      expect((await container.run()).status).toBe(403)
      const logs = await container.logs()
      expect(logs.stderr).toContain('Error during initialization: Error: not today')
      expect(logs.sentinels).toEqual(once1)
    })

    it('[runtime:PROTO-09] gives the context of the activation as the second argument', async () => {
      const container = await startContainer({ __OW_API_HOST: 'xyz' })
      await container.init('function main(args, context) { return { args, context } }')
      const reply = await container.run({ snow: '☃' }, { api_key: 'abc', activation_id: 'iii', deadline: '123' })
      expect(reply.body).toEqual({
        args: { snow: '☃' },
        context: { apiHost: 'xyz', apiKey: 'abc', activationId: 'iii', deadline: 123 },
      })
      const fields = { namespace: 'zzz', action_name: 'xxx', action_version: '0.0.1', transaction_id: 'ttt' }
      expect((await container.run({}, fields)).body.context).toEqual({
        apiHost: 'xyz',
        namespace: 'zzz',
        actionName: 'xxx',
        actionVersion: '0.0.1',
        transactionId: 'ttt',
      })
    })

    it('[runtime:PROTO-13] refuses an argument that is no object', async () => {
      const container = await startContainer()
      await container.init(programs.silentEcho)
      expect(await container.run('A')).toMatchObject({
        status: 403,
        body: { error: "Internal system error: the argument must be a dictionary but has type 'string'." },
      })
    })

    it('[runtime:PROTO-17] passes null on', async () => {
      const container = await startContainer()
      await container.init('function main() { return null }')
      expect(await container.run()).toMatchObject({ status: 200, text: 'null' })
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

    it('drops a body that is never finished when told to stop', async () => {
      const container = await startContainer()
      const socket = container.connect()
      socket.write('POST /run HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"val')
      await once(socket, 'connect')
      expect((await container.init(programs.silentEcho)).status).toBe(200)
      await container.kill('SIGTERM')
      socket.destroy()
      expect((await container.exited).code).toBe(0)
    })
  })
})
