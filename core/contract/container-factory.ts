import { request as httpRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  logSentinel,
  type Container,
  type ContainerFactory,
  type ContainerSpec,
  type Labels,
  type LogReadOptions,
} from '../src/spi/index.ts'

/** What the suite needs of the implementation under test. */
export type ContainerFactoryUnderTest = {
  /** Opens a factory. Two of the same installation are two lives of one invoker, of which the first has crashed. */
  open(installation: string): Promise<ContainerFactory>
  /** A kind, and an image for those that have images, whose container runs `fixtures/test-runtime.mjs`. */
  kind: string
  image: string
  /** Variables that a container may have beside those of its spec, by name. */
  environment: readonly string[]
  /** Those of `pids`, as the container numbers them, that still run. */
  alive(container: Container, pids: readonly number[]): Promise<number[]>
  /** How somebody else ends a container, by name. Only for factories that tell `outside`. */
  lose?: Readonly<Record<string, (container: Container) => Promise<void>>>
}

const hubSecret = 'SLUICE_TEST_SECRET_OF_THE_HUB'
const wait: LogReadOptions = { sentinels: 2, bytesMax: 1 << 20, idleMs: 10_000, totalMs: 20_000 }

/** Every ContainerFactory passes this suite. Read the test names: they are the specification. */
export function containerFactoryContract(name: string, subject: ContainerFactoryUnderTest): void {
  let count = 0

  async function openFactory(installation = `installation-${process.pid}-${++count}`): Promise<ContainerFactory> {
    const factory = await subject.open(installation)
    onTestFinished(() => factory.close())
    return factory
  }

  function specOf(overrides: Partial<ContainerSpec> = {}): ContainerSpec {
    return {
      name: `wsk0_${++count}_guest_test`,
      kind: subject.kind,
      image: subject.image,
      labels: {},
      env: {},
      memoryMb: 256,
      cpuShares: 128,
      egress: 'open',
      ...overrides,
    }
  }

  async function start(overrides: Partial<ContainerSpec> = {}, factory?: ContainerFactory): Promise<Container> {
    const opened = factory ?? (await openFactory())
    const container = await opened.create(specOf(overrides), AbortSignal.timeout(20_000))
    onTestFinished(() => container.destroy())
    return container
  }

  describe(`ContainerFactory: ${name}`, () => {
    it('starts a container that speaks HTTP at its endpoint', async () => {
      const container = await start()
      expect(await call(container, '/pid')).toMatchObject({ pid: expect.any(Number) })
    })

    it('supports its kinds and no others', async () => {
      const factory = await openFactory()
      expect(factory.supports(subject.kind)).toBe(true)
      expect(factory.supports('cobol:85')).toBe(false)
      expect(factory.supports('__proto__')).toBe(false)
    })

    it('rejects a kind it cannot start with SLUICE_CONTAINER_START', async () => {
      const factory = await openFactory()
      const creation = factory.create(
        specOf({ kind: 'cobol:85', image: 'none.invalid/none' }),
        AbortSignal.timeout(20_000),
      )
      await expect(creation).rejects.toMatchObject({ code: 'SLUICE_CONTAINER_START' })
      expect(await factory.list({})).toEqual([])
    })

    it('starts nothing when the signal has aborted', async () => {
      const factory = await openFactory()
      await expect(factory.create(specOf(), AbortSignal.abort())).rejects.toThrow()
      expect(await factory.list({})).toEqual([])
    })

    it('[runtime:1.1] gives a container the environment of its spec and nothing of the hub', async () => {
      process.env[hubSecret] = 'secret'
      onTestFinished(() => void delete process.env[hubSecret])
      const env = { __OW_API_HOST: 'http://127.0.0.1:3233', EMPTY: '', ODD: 'a=b=c\n"\u00fc' }
      const container = await start({ env })
      const seen = (await call(container, '/env')) as Record<string, string>
      expect(seen).toMatchObject(env)
      const others = Object.keys(seen).filter(key => !(key in env) && !subject.environment.includes(key))
      expect(others).toEqual([])
    })

    it('starts containers side by side without mixing them up', async () => {
      const factory = await openFactory()
      const names = ['a', 'b', 'c']
      const containers = await Promise.all(names.map(WHO => start({ env: { WHO } }, factory)))
      const seen = await Promise.all(containers.map(container => call(container, '/env')))
      expect(seen.map(env => (env as { WHO: string }).WHO)).toEqual(names)
      expect(new Set(containers.map(({ id }) => id)).size).toBe(3)
    })

    describe('logs', () => {
      it('[platform:LOG-01] reads the formatted lines of a run up to its sentinels', async () => {
        const container = await start()
        const text = 'one\n\ntwo \u00fc \u{1f600}\n'
        await print(container, [{ text }, { stream: 'stderr', text: 'three\n' }])
        const { lines, complete, truncated } = await container.logs.read(wait)
        expect({ complete, truncated }).toEqual({ complete: true, truncated: false })
        const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (?:stdout|stderr): /
        for (const line of lines) expect(line).toMatch(form)
        expect(textsOf(lines, 'stdout')).toEqual(['one', '', 'two \u00fc \u{1f600}'])
        expect(textsOf(lines, 'stderr')).toEqual(['three'])
      })

      it('reads no lines of a run that prints none', async () => {
        const container = await start()
        await print(container, [])
        expect(await container.logs.read(wait)).toEqual({ lines: [], complete: true, truncated: false })
      })

      it('reads while the run prints', async () => {
        const container = await start()
        const reading = container.logs.read(wait)
        await print(container, [{ text: 'first\n' }])
        expect(textsOf((await reading).lines)).toEqual(['first'])
      })

      it('[platform:LOG-05] starts each read where the last one ended', async () => {
        const container = await start()
        await print(container, [{ text: 'of the first run\n' }])
        await print(container, [{ text: 'of the second run\n' }])
        expect(textsOf((await container.logs.read(wait)).lines)).toEqual(['of the first run'])
        expect(textsOf((await container.logs.read(wait)).lines)).toEqual(['of the second run'])
      })

      it('keeps what is printed between runs for the next read', async () => {
        const container = await start()
        await print(container, [{ text: 'while loading\n' }], false)
        await print(container, [{ text: 'while running\n' }])
        expect(textsOf((await container.logs.read(wait)).lines)).toEqual(['while loading', 'while running'])
      })

      it('[platform:LOG-02] gives up on missing sentinels after the idle time and keeps the lines', async () => {
        const container = await start()
        await print(container, [{ text: 'no end' }], false)
        const { lines, complete } = await container.logs.read({ ...wait, idleMs: 300 })
        expect(textsOf(lines)).toEqual(['no end'])
        expect(complete).toBe(false)
      })

      it('[platform:LOG-03] takes what there is when no sentinel is awaited', async () => {
        const container = await start()
        await print(container, [{ text: 'failed\n' }], false)
        const { lines, complete } = await container.logs.read({ ...wait, sentinels: 0 })
        expect(textsOf(lines)).toEqual(['failed'])
        expect(complete).toBe(true)
      })

      it('[platform:LOG-04] removes sentinels that are not awaited', async () => {
        const container = await start()
        await print(container, [{ text: 'failed\n' }])
        const { lines } = await container.logs.read({ ...wait, sentinels: 0 })
        expect(textsOf(lines)).toEqual(['failed'])
      })

      it('[platform:LOG-06] truncates at the limit and starts the next run clean', async () => {
        const container = await start()
        await print(container, [{ text: `${'x'.repeat(99)}\n`, times: 10_000 }])
        const first = await container.logs.read({ ...wait, bytesMax: 100_000 })
        expect(first).toMatchObject({ complete: true, truncated: true })
        expect(first.lines.length).toBeGreaterThan(100)
        expect(first.lines.join('\n').length).toBeLessThan(200_000)
        await print(container, [{ text: 'clean\n' }])
        const second = await container.logs.read(wait)
        expect({ ...second, lines: textsOf(second.lines) }).toEqual({
          lines: ['clean'],
          complete: true,
          truncated: false,
        })
      })

      it('[platform:LOG-06] keeps no line when the limit is 0', async () => {
        const container = await start()
        await print(container, [{ text: 'unwanted\n' }])
        expect(await container.logs.read({ ...wait, bytesMax: 0 })).toEqual({
          lines: [],
          complete: true,
          truncated: false,
        })
      })

      it('survives 50 MB of output, also as one line, and starts the next run clean', async () => {
        const container = await start({ memoryMb: 512 })
        const mib = 1 << 20
        const before = process.memoryUsage().rss
        await print(container, [{ text: `${'flood '.repeat(20)}\n`.repeat(8192), times: 26 }])
        expect(await container.logs.read(wait)).toMatchObject({ complete: true, truncated: true })
        await print(container, [{ text: 'y'.repeat(mib), times: 25 }, { text: '\n' }])
        expect(await container.logs.read(wait)).toMatchObject({ complete: true, truncated: true })
        await print(container, [{ text: 'clean\n' }])
        expect(textsOf((await container.logs.read(wait)).lines)).toEqual(['clean'])
        expect(process.memoryUsage().rss - before).toBeLessThan(150 * mib)
      })

      it('[platform:LOG-15] keeps a line of 100 KB with multi-byte characters intact', async () => {
        const container = await start()
        const line = '\u20ac\u{1f600}'.repeat(15_000)
        await print(container, [{ text: `${line}\n` }])
        expect(textsOf((await container.logs.read(wait)).lines)).toEqual([line])
      })

      it('takes bytes that are no text', async () => {
        const container = await start()
        const noise = Buffer.from([0x66, 0xff, 0x00, 0xc3, 0x0a, 0x6f, 0x6b, 0x0a])
        await print(container, [{ base64: noise.toString('base64') }])
        expect(textsOf((await container.logs.read(wait)).lines)).toEqual(['f\ufffd\u0000\ufffd', 'ok'])
      })

      it('[platform:LOG-11] takes the official truncation text for plain text', async () => {
        const container = await start()
        const text = 'Logs were truncated because the total bytes size exceeds the limit of 1 bytes.'
        await print(container, [{ text: `${text}\n` }])
        const { lines, truncated } = await container.logs.read(wait)
        expect({ texts: textsOf(lines), truncated }).toEqual({ texts: [text], truncated: false })
      })

      it('ends a read when the container goes, with its last words', async () => {
        const container = await start()
        await call(container, '/pid')
        const reading = container.logs.read(wait)
        void call(container, '/exit', { code: 1, stderr: 'last words' }).catch(() => undefined)
        const { lines, complete } = await reading
        expect({ texts: textsOf(lines), complete }).toEqual({ texts: ['last words'], complete: false })
        expect(await container.logs.read(wait)).toEqual({ lines: [], complete: false, truncated: false })
      })
    })

    describe('exits', () => {
      it('reports the exit code', async () => {
        const container = await start()
        await expect(call(container, '/exit', { code: 7 })).rejects.toThrow()
        expect(await container.exited).toMatchObject({ code: 7, oom: false })
      })

      it('does not take a kill for exhausted memory', async () => {
        const container = await start()
        await expect(call(container, '/signal', { signal: 'SIGKILL' })).rejects.toThrow()
        expect(await container.exited).toMatchObject({ oom: false })
      })

      for (const [how, lose] of Object.entries(subject.lose ?? {})) {
        it(`[rel:R8] tells that one was lost from outside when it is ${how}`, async () => {
          const container = await start()
          await call(container, '/pid')
          const running = call(container, '/hang').catch(() => 'cut')
          await lose(container)
          expect(await container.exited).toMatchObject({ oom: false, outside: true })
          expect(await running).toBe('cut')
        })
      }

      it('[rel:R8] says of none that ended by itself, or was destroyed, that it was lost from outside', async () => {
        const factory = await openFactory()
        const ends: [string, object][] = [
          ['/exit', { code: 0 }],
          ['/exit', { code: 137 }],
          ['/signal', { signal: 'SIGKILL' }],
          ['/signal', { signal: 'SIGTERM' }],
          ['/allocate', { mb: 400 }],
        ]
        const byItself = ends.map(async ([path, body]) => {
          const container = await start({ memoryMb: 128 }, factory)
          await expect(call(container, path, body)).rejects.toThrow()
          return container.exited
        })
        const destroyed = start({}, factory).then(async container => {
          await container.destroy()
          return container.exited
        })
        const exits = await Promise.all([...byItself, destroyed])
        expect(exits.filter(({ outside }) => outside === true)).toEqual([])
      })

      it('[runtime:SYS-08] ends a container that takes more memory than its limit and tells it apart', async () => {
        const container = await start({ memoryMb: 128 })
        void call(container, '/allocate', { mb: 400 }).catch(() => undefined)
        expect(await container.exited).toMatchObject({ oom: true })
      })

      it('counts the memory of child processes', async () => {
        const container = await start({ memoryMb: 256 })
        void call(container, '/spawn', { escape: true, orphan: true, memoryMb: 300 }).catch(() => undefined)
        expect(await container.exited).toMatchObject({ oom: true })
      })

      it('leaves a container alone that stays below its limit', async () => {
        const factory = await openFactory()
        const thrifty = await start({ memoryMb: 256 }, factory)
        const greedy = await start({ memoryMb: 128 }, factory)
        await call(thrifty, '/allocate', { mb: 100 })
        void call(greedy, '/allocate', { mb: 400 }).catch(() => undefined)
        await greedy.exited
        expect(await call(thrifty, '/pid')).toMatchObject({ pid: expect.any(Number) })
      })
    })

    describe('destroy', () => {
      it('ends the container and may be called twice', async () => {
        const container = await start()
        const { pid } = (await call(container, '/pid')) as { pid: number }
        await Promise.all([container.destroy(), container.destroy()])
        await container.destroy()
        expect(await subject.alive(container, [pid])).toEqual([])
        expect(await container.exited).toMatchObject({ oom: false })
        await expect(call(container, '/pid', {}, 0)).rejects.toThrow()
      })

      const strays = {
        'a child': {},
        'an orphan': { orphan: true },
        'a child in a session of its own': { escape: true },
        'an orphan in a session of its own': { escape: true, orphan: true },
        'a child in a session of its own with an empty environment': { escape: true, bare: true },
      }
      for (const [what, how] of Object.entries(strays)) {
        it(`ends ${what} with it`, async () => {
          const container = await start()
          const { pid } = (await call(container, '/spawn', how)) as { pid: number }
          expect(await subject.alive(container, [pid])).toEqual([pid])
          await container.destroy()
          expect(await subject.alive(container, [pid])).toEqual([])
        })
      }

      const leftovers = {
        'a process in a session of its own': { escape: true, silent: false },
        'a child with an empty environment': { bare: true },
      }
      for (const [what, how] of Object.entries(leftovers)) {
        it(`is not needed to end ${what} once the first process has exited`, async () => {
          const container = await start()
          const { pid } = (await call(container, '/spawn', how)) as { pid: number }
          await expect(call(container, '/exit', { code: 0 })).rejects.toThrow()
          await container.exited
          await expect.poll(() => subject.alive(container, [pid]), { timeout: 10_000 }).toEqual([])
        })
      }

      it('[platform:10] ends a run in progress', async () => {
        const container = await start()
        await call(container, '/pid')
        const running = call(container, '/heap').catch(() => 'cut')
        await container.destroy()
        expect(await running).toBe('cut')
      })
    })

    describe('suspend', () => {
      it('stops a container until it is resumed', async ({ skip }) => {
        const factory = await openFactory()
        skip(!factory.capabilities.pause, 'this factory cannot pause')
        const sleeper = await start({}, factory)
        const other = await start({}, factory)
        await Promise.all([call(sleeper, '/pid'), call(other, '/pid')])
        await sleeper.suspend()
        const answers: string[] = []
        const answer = call(sleeper, '/pid').then(() => answers.push('sleeper'))
        for (let i = 0; i < 20; i++) await call(other, '/pid')
        answers.push('other')
        await sleeper.resume()
        await answer
        expect(answers).toEqual(['other', 'sleeper'])
      })

      it('does not keep a container from being destroyed', async ({ skip }) => {
        const factory = await openFactory()
        skip(!factory.capabilities.pause, 'this factory cannot pause')
        const container = await start({}, factory)
        const { pid } = (await call(container, '/pid')) as { pid: number }
        await container.suspend()
        await container.destroy()
        expect(await subject.alive(container, [pid])).toEqual([])
      })

      it('rejects once the container is gone', async () => {
        const container = await start()
        await container.destroy()
        await expect(container.suspend()).rejects.toThrow()
        await expect(container.resume()).rejects.toThrow()
      })
    })

    describe('list and cleanup', () => {
      it('lists running containers by their labels', async () => {
        const factory = await openFactory()
        const a = await start({ labels: { invoker: '0', kind: 'a' } }, factory)
        const b = await start({ labels: { invoker: '0', kind: 'b' } }, factory)
        const ids = async (labels: Labels) => (await factory.list(labels)).map(({ id }) => id).sort()
        expect(await ids({ invoker: '0' })).toEqual([a.id, b.id].sort())
        expect(await ids({ invoker: '0', kind: 'b' })).toEqual([b.id])
        expect(await ids({ kind: 'c' })).toEqual([])
        await a.destroy()
        expect(await ids({})).toEqual([b.id])
      })

      it('lets a stem cell become an action\u2019s container', async () => {
        const container = await start()
        await container.assign('guest', 'hello')
        expect(await call(container, '/pid')).toMatchObject({ pid: expect.any(Number) })
      })

      it('[platform:DRV-22] ends what an earlier life of this invoker left, and only that', async () => {
        const [installation, other] = [`crashed-${process.pid}-${++count}`, `other-${process.pid}-${++count}`]
        const crashed = await openFactory(installation)
        const [first, second] = [await start({}, crashed), await start({}, crashed)]
        const stranger = await start({}, await openFactory(other))
        const { pid } = (await call(first, '/spawn', { escape: true, orphan: true })) as { pid: number }
        await call(second, '/pid')
        const next = await openFactory(installation)
        const own = await start({}, next)
        expect(await next.cleanup()).toBe(2)
        expect(await subject.alive(first, [pid])).toEqual([])
        await Promise.all([first.exited, second.exited])
        await Promise.all([call(own, '/pid'), call(stranger, '/pid')])
        expect(await next.cleanup()).toBe(0)
      })

      it('starts a container only after a cleanup that is under way: what is left holds its memory until then', async () => {
        const installation = `crashed-${process.pid}-${++count}`
        const crashed = await openFactory(installation)
        const left = [await start({}, crashed), await start({}, crashed), await start({}, crashed)]
        const next = await openFactory(installation)
        const told: string[] = []
        const cleaned = next.cleanup().finally(() => told.push('clean'))
        const container = await next.create(specOf(), AbortSignal.timeout(20_000), () => told.push('begins'))
        onTestFinished(() => container.destroy())
        expect(told).toEqual(['clean', 'begins'])
        expect(await cleaned).toBe(left.length)
      })

      it('ends all its containers when it is closed', async () => {
        const factory = await openFactory()
        const containers = [await start({}, factory), await start({}, factory)]
        const pids = (await Promise.all(containers.map(each => call(each, '/pid')))) as { pid: number }[]
        await factory.close()
        for (const [index, container] of containers.entries()) {
          expect(await subject.alive(container, [pids[index]?.pid ?? 0])).toEqual([])
        }
        await expect(factory.create(specOf(), AbortSignal.timeout(20_000))).rejects.toMatchObject({
          code: 'SLUICE_CLOSED',
        })
        await factory.close()
      })
    })
  })
}

type Write = { stream?: 'stdout' | 'stderr'; text?: string; base64?: string; times?: number }

/** Has the container print, then sentinels on both streams unless `end` is false. Resolves when all is written. */
async function print(container: Container, writes: readonly Write[], end = true): Promise<void> {
  await call(container, '/print', { writes, end })
}

/** What the lines say, of both streams or one. */
function textsOf(lines: readonly string[], stream?: 'stdout' | 'stderr'): string[] {
  expect(lines.join('\n')).not.toContain(logSentinel)
  const ofStream = stream === undefined ? lines : lines.filter(line => line.startsWith(stream, 31))
  return ofStream.map(line => line.slice(31 + 'stdout: '.length))
}

/** Sends a request to the test runtime; waits for its port to open for `openMs`, as the invoker does. */
async function call(container: Container, path: string, body: object = {}, openMs = 20_000): Promise<unknown> {
  const deadline = performance.now() + openMs
  for (;;) {
    try {
      return await post(container, path, body)
    } catch (error) {
      const { code } = error as { code?: string }
      const refused = code === 'ENOENT' || code === 'ECONNREFUSED'
      const gone = refused && (await Promise.race([container.exited.then(() => true), sleep(5, false)]))
      if (!refused || gone || performance.now() > deadline) throw error
    }
  }
}

function post(container: Container, path: string, body: object): Promise<unknown> {
  const { endpoint } = container
  return new Promise((resolve, reject) => {
    const request = httpRequest({ ...endpoint, path, method: 'POST', agent: false }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        if (response.statusCode === 200) resolve(JSON.parse(text))
        else reject(new Error(text))
      })
    })
    request.on('error', reject)
    request.end(JSON.stringify(body))
  })
}
