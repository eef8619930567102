import { describeWays, tarGz, zip, type Files, type Reply } from '@sluice/runtime-contract'
import { describe, expect, it } from 'vitest'
import { ActionService } from './action-service.ts'
import { createSingleScope } from './activation.ts'
import { createActionServer } from './http-server.ts'
import { loadAction } from './load-action.ts'
import { ways } from './testing/ways.ts'

const once1 = { stdout: 1, stderr: 1 }

describe('Node.js: the server', () => {
  it('[runtime:NODE-27] sets no time limit of its own on a run', () => {
    const logs = { mark: () => {}, error: () => {} }
    const service = new ActionService({ logs, scope: createSingleScope(), concurrent: false, load: loadAction })
    const { http } = createActionServer(service)
    const { requestTimeout, headersTimeout, keepAliveTimeout, timeout } = http
    expect({ requestTimeout, headersTimeout, keepAliveTimeout, timeout }).toEqual({
      requestTimeout: 0,
      headersTimeout: 0,
      keepAliveTimeout: 0,
      timeout: 0,
    })
  })
})

describeWays(ways, (way, startContainer) => {
  /** Initialises a container and runs the action once. */
  async function initAndRun(code: string, { main = 'main', value = {}, env = {} } = {}): Promise<Reply> {
    const container = await startContainer(env)
    expect((await container.init(code, { main })).body).toEqual({ OK: true })
    return container.run(value)
  }

  /** Initialises a container with code that must be refused; the error of the answer, and the log. */
  async function failedInit(code: string, main = 'main') {
    const container = await startContainer()
    const reply = await container.init(code, { main })
    return { status: reply.status, error: reply.body.error as string, ...(await container.logs()) }
  }

  describe('Node.js: source text', () => {
    it('[runtime:NODE-01] tells a syntax error', async () => {
      const failure = await failedInit('10 PRINT "Hello world!"\n20 GOTO 10')
      expect(failure.status).toBe(502)
      expect(failure.error).toContain("SyntaxError: Unexpected identifier 'PRINT'")
      expect(failure.stderr).toMatch(/^Error during initialization: action\.js:1/)
      expect(failure.stderr.toLowerCase()).toMatch(/syntax[^]*error|error[^]*syntax/)
      expect(failure.sentinels).toEqual(once1)
    })

    it('[runtime:NODE-02] refuses empty code', async () => {
      const failure = await failedInit('')
      expect(failure).toMatchObject({ status: 403, error: 'Missing main/no code to execute.' })
    })

    it('[runtime:NODE-03] tells what was thrown, and stays usable', async () => {
      const container = await startContainer()
      await container.init('function main({ fail }) { if (fail) throw new Error("nooooo"); return { fine: true } }')
      expect(await container.run({ fail: true })).toMatchObject({
        status: 502,
        body: { error: 'An error has occurred: Error: nooooo' },
      })
      expect((await container.run()).body).toEqual({ fine: true })
      const logs = await container.logs()
      expect(logs.stderr).toContain('Error: nooooo')
      expect(logs.sentinels).toEqual({ stdout: 2, stderr: 2 })
    })

    it('[runtime:NODE-04] returns nothing, an object and an error in turn', async () => {
      const container = await startContainer()
      await container.init(`function main({ payload }) {
      if (payload === undefined) return
      return payload === '' ? { error: 'empty' } : { payload }
    }`)
      expect(await container.run()).toMatchObject({ status: 200, text: '{}' })
      expect(await container.run({ payload: 'x' })).toMatchObject({ status: 200, body: { payload: 'x' } })
      expect(await container.run({ payload: '' })).toMatchObject({ status: 200, body: { error: 'empty' } })
      expect(await container.logs()).toEqual({ stdout: '', stderr: '', sentinels: { stdout: 3, stderr: 3 } })
    })

    it('[runtime:NODE-05] returns at once, then later', async () => {
      const container = await startContainer()
      await container.init(`function main({ later }) {
      return later ? new Promise(resolve => setTimeout(resolve, 100, { done: true })) : { done: true }
    }`)
      expect((await container.run()).body).toEqual({ done: true })
      expect((await container.run({ later: true })).body).toEqual({ done: true })
      expect((await container.logs()).sentinels).toEqual({ stdout: 2, stderr: 2 })
    })

    it('[runtime:NODE-06] assigns to variables that nobody declared', async () => {
      const container = await startContainer()
      await container.init('function main() { undeclared = "sloppy"; console.log(undeclared); return {} }')
      expect((await container.run()).status).toBe(200)
      expect((await container.logs()).stdout).toBe('sloppy')
    })

    it('[runtime:NODE-07] finds an entry that is a global', async () => {
      expect((await initAndRun('(() => { global.main = () => ({ global: true }) })()')).body).toEqual({ global: true })
    })

    it('[runtime:NODE-08] finds an entry among the exports', async () => {
      expect((await initAndRun('exports.main = () => ({ from: "exports" })')).body).toEqual({ from: 'exports' })
      expect((await initAndRun('module.exports.main = () => ({ from: "module" })')).body).toEqual({ from: 'module' })
      expect((await initAndRun('module.exports = { go: () => ({ go: 1 }) }', { main: 'go' })).body).toEqual({ go: 1 })
      expect((await initAndRun('exports.default = () => ({ d: 1 })', { main: 'default' })).body).toEqual({ d: 1 })
    })

    it('[runtime:NODE-09] tells that a package is missing', async () => {
      const container = await startContainer()
      await container.init('function main() { require("no-such-package-at-all"); return {} }')
      expect((await container.run()).status).toBe(502)
      expect((await container.logs()).stderr).toContain("Error: Cannot find module 'no-such-package-at-all'")
    })

    it('[runtime:NODE-10] lends packages to text that requires or imports them', async () => {
      const code = `function main() {
      const names = ['openwhisk', 'express', 'serialize-error', 'redis', 'uuid']
      return { types: names.map(name => typeof require(name)), api: typeof require('openwhisk')({ apihost: 'x', api_key: 'y' }).actions }
    }`
      expect((await initAndRun(code)).body).toEqual({
        types: ['function', 'function', 'object', 'object', 'object'],
        api: 'object',
      })
      const dynamic = 'const main = async () => ({ type: typeof (await import("openwhisk")).default })'
      expect((await initAndRun(dynamic)).body).toEqual({ type: 'function' })
    })

    it('[runtime:NODE-11] waits for a promise', async () => {
      const code = 'function main() { return new Promise(resolve => setTimeout(() => resolve({ later: 1 }), 50)) }'
      expect((await initAndRun(code)).body).toEqual({ later: 1 })
    })

    it('[runtime:NODE-12] makes an error of a rejection', async () => {
      const code = 'function main({ reason }) { return reason ? Promise.reject(reason) : Promise.reject() }'
      const container = await startContainer()
      await container.init(code)
      expect(await container.run({ reason: { done: true } })).toMatchObject({
        status: 200,
        body: { error: { done: true } },
      })
      expect(await container.run({ reason: 'text' })).toMatchObject({ status: 200, body: { error: 'text' } })
      expect(await container.run()).toMatchObject({ status: 200, text: '{"error":{}}' })
    })

    it('[runtime:NODE-13] takes half a megabyte of source', async () => {
      const comment = `// ${'x'.repeat(97)}\n`.repeat(5000)
      expect((await initAndRun(`${comment}function main(args) { return args }`, { value: { a: 1 } })).body).toEqual({
        a: 1,
      })
    })

    it('[runtime:NODE-19] calls functions with default parameters', async () => {
      const code = 'function main({ a }) { return { sum: ((b, c = 2) => b + c)(a) } }'
      expect((await initAndRun(code, { value: { a: 3 } })).body).toEqual({ sum: 5 })
    })

    it('[runtime:NODE-22] waits for an async function', async () => {
      const code = `
      const stat = require('util').promisify(require('fs').stat)
      async function main() { return { uid: (await stat('/')).uid } }`
      expect((await initAndRun(code)).body).toEqual({ uid: expect.any(Number) })
    })

    it('[runtime:NODE-23] makes an error of what an async function throws', async () => {
      const container = await startContainer()
      await container.init('async function main({ app }) { if (app) throw new Error("app error"); return a }')
      const reference = await container.run()
      expect(reference.status).toBe(200)
      expect(reference.body.error).toMatchObject({ name: 'ReferenceError', message: 'a is not defined' })
      expect(reference.body.error.stack).toContain('ReferenceError: a is not defined')
      expect(JSON.stringify((await container.run({ app: true })).body.error)).toContain('Error: app error')
      expect((await container.logs()).sentinels).toEqual({ stdout: 2, stderr: 2 })
    })

    it('[runtime:NODE-24] refuses an entry that is no function', async () => {
      for (const [code, main] of [
        ['function other() {}', 'main'],
        ['const x = 1', 'x'],
        ['exports.a = {}', 'a.b'],
        ['export const x = 1', 'x'],
      ] as const) {
        expect(await failedInit(code, main)).toMatchObject({
          status: 502,
          error: `Initialization has failed due to: Action entrypoint '${main}' is not a function.`,
          sentinels: once1,
        })
      }
    })

    it('[runtime:NODE-26] names the type of a result that is no object', async () => {
      for (const [result, type] of [
        ['"text"', 'string'],
        ['12', 'number'],
        ['Promise.resolve(true)', 'boolean'],
        ['() => 1', 'function'],
      ]) {
        const container = await startContainer()
        await container.init(`function main() { return ${result} }`)
        expect(await container.run()).toMatchObject({
          status: 502,
          body: { error: 'The action did not return a dictionary.' },
        })
        expect((await container.logs()).stderr).toContain(`Result must be of type object but has type "${type}":`)
      }
    })

    it('tells results and errors that cannot be JSON', async () => {
      const container = await startContainer()
      await container.init(`
      const circular = {}
      circular.self = circular
      function main({ how }) {
        if (how === 'result') return circular
        if (how === 'reject') return Promise.reject(circular)
        if (how === 'bigint') return Promise.reject({ n: 1n })
        throw Object.create(null)
      }`)
      expect(await container.run({ how: 'result' })).toMatchObject({
        status: 502,
        body: { error: expect.stringContaining('An error has occurred: TypeError: Converting circular structure') },
      })
      expect(await container.run({ how: 'reject' })).toMatchObject({
        status: 200,
        body: { error: { self: '[Circular]' } },
      })
      expect((await container.run({ how: 'bigint' })).status).toBe(200)
      expect(await container.run()).toMatchObject({
        status: 502,
        body: { error: 'An error has occurred: [Object: null prototype] {}' },
      })
    })

    it('counts lines of an action as its author does', async () => {
      const container = await startContainer()
      await container.init('// one\nfunction main() {\n  throw new Error("here") }')
      await container.run()
      expect((await container.logs()).stderr).toContain('action.js:3:9')
    })
  })

  describe('Node.js: ES modules', () => {
    it('[runtime:NODE-28] runs a single file with imports, top-level await and borrowed packages', async () => {
      const code = `
      import { readFile } from 'node:fs/promises'
      import express from 'express'
      const text = await readFile(new URL(import.meta.url), 'utf8')
      export function main(args) { return { args, long: text.length > 100, express: typeof express } }`
      const value = { a: 1 }
      expect((await initAndRun(code, { value })).body).toEqual({ args: value, long: true, express: 'function' })
      expect((await initAndRun('export default () => ({ fallback: true })')).body).toEqual({ fallback: true })
      expect((await initAndRun('export const niam = () => ({ n: 1 })', { main: 'niam' })).body).toEqual({ n: 1 })
    })

    it('[runtime:NODE-28] runs a package that says it is a module', async () => {
      const files = {
        'package.json': '{"type":"module","main":"lib/action.js"}',
        'lib/action.js': `
        import { word } from './word.js'
        const later = await Promise.resolve('later')
        export const main = () => ({ word, later, cwd: process.cwd() === import.meta.dirname.replace(/.lib$/, '') })`,
        'lib/word.js': 'export const word = "hello"',
      }
      expect((await initAndRun(await zip(files))).body).toEqual({ word: 'hello', later: 'later', cwd: true })
      const single = await zip({ 'index.mjs': 'export const main = () => ({ mjs: true })' })
      expect((await initAndRun(single)).body).toEqual({ mjs: true })
    })

    it('tells a syntax error in a module', async () => {
      const failure = await failedInit('export const main = () => {{')
      expect(failure.error).toContain('SyntaxError')
      expect(failure.sentinels).toEqual(once1)
    })
  })

  describe('Node.js: archives', () => {
    const niam = 'exports.niam = args => ({ args })'
    const layouts: [string, string, Files][] = [
      [
        'package.json and index.js',
        'main',
        { 'package.json': '{"main":"index.js"}', 'index.js': 'exports.main = a => ({ args: a })' },
      ],
      ['index.js only', 'main', { 'index.js': 'exports.main = args => ({ args })' }],
      ['another file', 'other.niam', { 'other.js': niam }],
      ['a nested property', 'other.niam.xyz', { 'other.js': 'exports.niam = { xyz: args => ({ args }) }' }],
      [
        'a file beside the package',
        'other.niam',
        { 'package.json': '{"main":"index.js"}', 'index.js': '', 'other.js': niam },
      ],
      ['a file in a folder', 'lib/other.niam', { 'lib/other.js': niam }],
      ['an ES module file', 'other.niam', { 'other.mjs': 'export const niam = args => ({ args })' }],
    ]

    it.each(layouts)('[runtime:NODE-14] finds the entry in %s', async (_, main, files) => {
      expect((await initAndRun(await zip(files), { main, value: { a: 1 } })).body).toEqual({ args: { a: 1 } })
    })

    it('[runtime:NODE-15] refuses base64 that is no archive', async () => {
      const failure = await failedInit(Buffer.from('this is not a zip file at all').toString('base64'))
      expect(failure).toMatchObject({
        status: 502,
        error:
          'Initialization has failed due to: There was an error uncompressing the action archive. The file type is unsupported',
        sentinels: once1,
      })
      expect(failure.stderr).toContain('error uncompressing')
    })

    it('refuses archives that end too early', async () => {
      const whole = await zip({ 'index.js': niam })
      const cutZip = await failedInit(Buffer.from(whole, 'base64').subarray(0, -30).toString('base64'))
      expect(cutZip.error).toBe(
        'Initialization has failed due to: There was an error uncompressing the action Zip archive.',
      )
      const tar = await tarGz({ 'index.js': niam })
      const cutTar = await failedInit(Buffer.from(tar, 'base64').subarray(0, -30).toString('base64'))
      expect(cutTar.error).toBe(
        'Initialization has failed due to: There was an error uncompressing the action Tar GZ archive.',
      )
    })

    it('[runtime:NODE-16] refuses an archive without a package', async () => {
      const failure = await failedInit(await zip({ 'hello.txt': 'hello' }))
      expect(failure.status).toBe(502)
      expect(failure.error).toBe(
        'Initialization has failed due to: Zipped actions must contain either package.json or index.js at the root.',
      )
    })

    it('[runtime:NODE-17] calls an entry of another name in a package', async () => {
      expect((await initAndRun(await zip({ 'index.js': niam }), { main: 'niam', value: { a: 1 } })).body).toEqual({
        args: { a: 1 },
      })
    })

    it('[runtime:NODE-18] works in the folder of the package', async () => {
      const code = `
      const fs = require('fs')
      exports.main = () => ({ text: fs.readFileSync('./test.txt', 'utf8'), same: __dirname === process.cwd(), where: __dirname })`
      const container = await startContainer()
      await container.init(await zip({ 'index.js': code, 'test.txt': 'hello' }))
      const { body } = await container.run()
      expect(body).toMatchObject({ text: 'hello', same: true })
      expect(body.where).toMatch(/action-\w+\/action$/)
    })

    it('[runtime:NODE-20] prefers packages that the action brings, and lends the others', async () => {
      const archive = await zip({
        'index.js': 'exports.main = () => ({ own: require("openwhisk").own, lent: typeof require("uuid").v4 })',
        'node_modules/openwhisk/package.json': '{"name":"openwhisk","version":"0.0.0"}',
        'node_modules/openwhisk/index.js': 'exports.own = true',
      })
      expect((await initAndRun(archive)).body).toEqual({ own: true, lent: 'function' })
    })

    it('[runtime:NODE-25] unpacks tar.gz, with folders, links and any gzip flags', async () => {
      const archive = await tarGz(
        {
          './package.json': '{"main":"lib/index.js"}',
          'lib/index.js': 'exports.main = () => ({ text: require("fs").readFileSync("./alias", "utf8") })',
          'data.txt': 'hello',
          'lib/latest': { link: '../data.txt' },
          alias: { link: 'lib/latest' },
        },
        [
          { name: 'empty/', type: 'directory' },
          { name: 'copy.txt', type: 'link', linkname: 'data.txt' },
        ],
      )
      expect((await initAndRun(archive)).body).toEqual({ text: 'hello' })
      const named = Buffer.from(archive, 'base64')
      named[3] = 0x08 // a file name follows the header
      const withName = Buffer.concat([named.subarray(0, 10), Buffer.from('x.tar\0'), named.subarray(10)])
      expect((await initAndRun(withName.toString('base64'))).body).toEqual({ text: 'hello' })
    })

    it('keeps the executable bit and links of a zip', async () => {
      const archive = await zip({
        'index.js': 'exports.main = () => ({ out: require("child_process").execFileSync("./run.sh").toString() })',
        'bin/run.sh': '#!/bin/sh\necho ran\n',
        'run.sh': { link: 'bin/run.sh' },
        nowhere: { link: 'bin/missing' },
      })
      // yazl wrote 0o100644 for the script: set the bits in the central directory.
      const bytes = Buffer.from(archive, 'base64')
      const entry = bytes.lastIndexOf('bin/run.sh', bytes.lastIndexOf('run.sh') - 1) - 46
      bytes.writeUInt32LE((0o100755 << 16) >>> 0, entry + 38)
      expect((await initAndRun(bytes.toString('base64'))).body).toEqual({ out: 'ran\n' })
    })

    it('[runtime:NODE-29] installs what package.json asks for where that is switched on', async () => {
      const container = await way.start({
        env: { OW_ENABLE_INIT_INSTALL: 'true', npm_config_offline: 'true' },
        files: {
          'own/package.json': '{"name":"own","version":"1.0.0"}',
          'own/index.js': 'exports.text = "installed"',
        },
      })
      const archive = await zip({
        'package.json': JSON.stringify({ name: 'action', dependencies: { own: `file:${container.shared}/own` } }),
        'index.js': 'exports.main = () => require("own")',
      })
      expect(await container.init(archive)).toMatchObject({ status: 200 })
      expect((await container.run()).body).toEqual({ text: 'installed' })
    })

    it('[runtime:NODE-29] installs nothing by default', async () => {
      const archive = await zip({
        'package.json': '{"dependencies":{"no-such-package-at-all":"1"}}',
        'index.js': 'exports.main = () => ({ fine: true })',
      })
      expect((await initAndRun(archive)).body).toEqual({ fine: true })
    })
  })
})
