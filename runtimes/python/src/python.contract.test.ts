import { describeWays, sentinel, tarGz, zip } from '@sluice/runtime-contract'
import { describe, expect, it } from 'vitest'
import { ways } from './testing/ways.ts'

const once1 = { stdout: 1, stderr: 1 }
const noBinary = { error: 'The action failed to generate or locate a binary. See logs for details.' }
const cannotStart = { error: 'Cannot start action. Check logs for details.' }

describeWays(ways, (_, startContainer) => {
  describe('Python', () => {
    /** Initialises a container with code that must be refused; the answer, and the log. */
    async function failedInit(code: string, main = 'main') {
      const container = await startContainer()
      const { status, body } = await container.init(code, { main })
      return { status, body: body as unknown, ...(await container.logs()) }
    }

    it('[runtime:PY-01] runs a package with modules and an entry of another name', async () => {
      const container = await startContainer()
      const archive = await zip({
        '__main__.py':
          'from hello import greet\nfrom pack.age import word\ndef niam(args): return {"greeting": greet(word)}',
        'hello.py': 'def greet(word): return "Hello " + word',
        'pack/__init__.py': '',
        'pack/age.py': 'word = "there"',
      })
      expect((await container.init(archive, { main: 'niam' })).status).toBe(200)
      expect((await container.run()).body).toEqual({ greeting: 'Hello there' })
    })

    it('[runtime:PY-02] reads files beside the code', async () => {
      for (const pack of [zip, tarGz]) {
        const container = await startContainer()
        await container.init(
          await pack({
            '__main__.py':
              'import os\ndef main(args): return {"text": open("data/file.txt").read(), "here": os.getcwd() == os.path.dirname(__file__)}',
            'data/file.txt': 'hello',
          }),
        )
        expect((await container.run()).body).toEqual({ text: 'hello', here: true })
      }
    })

    it('[runtime:PY-03] refuses an archive without __main__.py', async () => {
      const failure = await failedInit(await zip({ 'hello.py': 'def main(args): return {}' }))
      expect(failure).toMatchObject({ status: 502, body: noBinary, sentinels: once1 })
      expect(failure.stderr).toContain('Zip file does not include main__')
    })

    it('[runtime:PY-04] makes an error of an exception, with its traceback in the log', async () => {
      const container = await startContainer()
      await container.init('def main(args):\n    raise Exception("nooooo ☃")')
      expect(await container.run()).toMatchObject({ status: 200, body: { error: 'nooooo ☃' } })
      const logs = await container.logs()
      expect(logs.stderr).toMatch(/^Traceback \(most recent call last\):\n {2}File ".*main__\.py", line 2, in main\n/)
      expect(logs.stderr).not.toContain('sluice_launcher')
      expect(logs.sentinels).toEqual(once1)
    })

    it('[runtime:PY-05] refuses a syntax error at init', async () => {
      const failure = await failedInit('def main(args):\n    return {{')
      expect(failure).toMatchObject({ status: 502, body: noBinary, sentinels: once1 })
      expect(failure.stderr).toContain('SyntaxError')
    })

    it('[runtime:PY-06] returns an error object as it is', async () => {
      const container = await startContainer()
      await container.init('def main(args): return {"error": "sorry"}')
      expect(await container.run()).toMatchObject({ status: 200, text: '{"error":"sorry"}' })
    })

    it('[runtime:PY-07] refuses code that imports what is not there', async () => {
      const failure = await failedInit('import no_such_package\ndef main(args): return {}')
      expect(failure).toMatchObject({ status: 502, body: cannotStart, sentinels: once1 })
      expect(failure.stderr).toContain('Traceback (most recent call last):')
      expect(failure.stderr).toContain("ModuleNotFoundError: No module named 'no_such_package'")
    })

    it('[runtime:PY-08] knows its interpreter', async () => {
      const container = await startContainer()
      await container.init(`import subprocess, sys
def main(args):
    version = subprocess.run([sys.executable, '-c', 'import sys; print(sys.version_info[0])'], capture_output=True, text=True)
    return {'executable': sys.executable, 'version': version.stdout}
`)
      expect((await container.run()).body).toEqual({ executable: expect.stringContaining('python'), version: '3\n' })
    })

    it('[runtime:PY-09] takes and returns arrays, tuples included', async () => {
      const container = await startContainer()
      await container.init('def main(args): return tuple(args) if len(args) > 1 else args')
      expect((await container.run(['a'])).body).toEqual(['a'])
      expect((await container.run(['a', 'b'])).body).toEqual(['a', 'b'])
    })

    it('[runtime:PY-10] tells that the code exited, at run and at init', async () => {
      const container = await startContainer()
      await container.init('import sys\ndef main(args):\n    print("bye")\n    sys.exit(1)')
      expect(await container.run()).toMatchObject({ status: 400, body: { error: 'command exited' } })
      expect(await container.logs()).toMatchObject({ stdout: 'bye', sentinels: once1 })
      const failure = await failedInit('import sys\nsys.exit(1)')
      expect(failure).toMatchObject({ status: 502, body: cannotStart, sentinels: once1 })
      expect(failure.stderr).toBe('Command exited abruptly during initialization.')
    })

    it('[runtime:PY-11] shows variables of the init while the code is loaded', async () => {
      const container = await startContainer()
      await container.init('import os\nprint(os.environ["X"])\ndef main(args): return {}', { env: { X: 'xyz' } })
      await container.run()
      await container.logs()
      expect(container.output('stdout')).toBe(`xyz\n${sentinel}\n`)
    })

    const activate = `import os, site, sys
here = os.path.dirname(os.path.abspath(__file__))
site.addsitedir(os.path.join(os.path.dirname(here), 'lib', 'site-packages'))
`
    const own = { 'virtualenv/lib/site-packages/own.py': 'agent = "my agent"' }

    it('[runtime:PY-12] uses the virtualenv of the archive', async () => {
      for (const main of ['main', 'naim']) {
        const container = await startContainer()
        const archive = await zip({
          '__main__.py': `from own import agent\ndef ${main}(args): return {"agent": agent}`,
          'virtualenv/bin/activate_this.py': activate,
          ...own,
        })
        expect((await container.init(archive, { main })).status).toBe(200)
        expect((await container.run()).body).toEqual({ agent: 'my agent' })
      }
    })

    it('[runtime:PY-13] refuses a virtualenv with another main module, or another function', async () => {
      const files = { 'virtualenv/bin/activate_this.py': activate, ...own }
      expect(await failedInit(await zip({ ...files, 'action.py': 'def main(args): return {}' }))).toMatchObject({
        status: 502,
        body: noBinary,
      })
      const other = await failedInit(await zip({ ...files, '__main__.py': 'def other(args): return {}' }))
      expect(other).toMatchObject({ status: 502, body: cannotStart, sentinels: once1 })
      expect(other.stderr).toBe("The action has no function named 'main'.")
    })

    it('[runtime:PY-14] refuses a virtualenv that cannot be activated', async () => {
      const failure = await failedInit(await zip({ '__main__.py': 'def main(args): return {}', ...own }))
      expect(failure).toMatchObject({ status: 502, body: noBinary, sentinels: once1 })
      expect(failure.stderr).toBe("Invalid virtualenv. Zip file does not include 'activate_this.py'.")
    })

    it('[runtime:PY-15] installs what requirements.txt names, unless that is switched off', async () => {
      const wheel = Buffer.from(
        await zip({
          'own.py': 'word = "installed"',
          'own-1.0.dist-info/METADATA': 'Metadata-Version: 2.1\nName: own\nVersion: 1.0\n',
          'own-1.0.dist-info/WHEEL': 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
          'own-1.0.dist-info/RECORD':
            'own.py,,\nown-1.0.dist-info/METADATA,,\nown-1.0.dist-info/WHEEL,,\nown-1.0.dist-info/RECORD,,\n',
        }),
        'base64',
      )
      const files = {
        '__main__.py': 'from own import word\ndef main(args): return {"word": word}',
        'requirements.txt': './own-1.0-py3-none-any.whl\n',
        'own-1.0-py3-none-any.whl': wheel,
      }
      const container = await startContainer()
      expect(await container.init(await zip(files))).toMatchObject({ status: 200 })
      expect((await container.run()).body).toEqual({ word: 'installed' })
      const off = await startContainer({ OW_ENABLE_INIT_INSTALL: 'false' })
      expect(await off.init(await zip(files))).toMatchObject({ status: 502 })
      const broken = await failedInit(await zip({ ...files, 'requirements.txt': './nothing.whl\n' }))
      expect(broken).toMatchObject({ status: 502, body: noBinary })
      expect(broken.stderr).toContain('requirements.txt could not be installed:')
    })

    it('[runtime:PY-16] tells of a result that is no JSON, and stays alive', async () => {
      const container = await startContainer()
      await container.init(`def main(args):
    return {'set': {'x': {1}}, 'nan': {'x': float('nan')}, 'key': {(1, 2): 3}, 'fine': {'x': 1}}[args['what']]
`)
      for (const what of ['set', 'nan', 'key']) {
        expect(await container.run({ what })).toMatchObject({
          status: 502,
          body: { error: expect.stringMatching(/^The action returned a value that is not JSON: ./) },
        })
      }
      expect((await container.run({ what: 'fine' })).body).toEqual({ x: 1 })
      expect((await container.logs()).sentinels).toEqual({ stdout: 4, stderr: 4 })
    })

    it('[runtime:PY-17] takes context values that are no strings', async () => {
      const container = await startContainer()
      await container.init('import os\ndef main(args): return {"d": os.environ["__OW_DEADLINE"]}')
      expect((await container.run({}, { deadline: 123, odd: { a: 1 }, 'na=me': 'x' })).body).toEqual({ d: '123' })
    })

    it('keeps surrogates that JSON can carry and UTF-8 cannot', async () => {
      const container = await startContainer()
      await container.init('def main(args): return {"same": args["text"], "length": len(args["text"])}')
      const reply = await container.post('/run', '{"value":{"text":"\\ud800x"}}')
      expect(reply.text).toBe('{"same":"\\ud800x","length":2}')
    })

    it('keeps its own pipes from the action and its modules from the names of the action', async () => {
      const container = await startContainer()
      const archive = await zip({
        '__main__.py': `import os, sys, code, frames
def main(args):
    os.write(1, b'out')
    try:
        os.write(3, b'{"not": "an answer"}')
    except OSError:
        pass
    return {'read': sys.stdin.read(), 'frames': frames.word, 'code': hasattr(code, 'interact'), 'path': sys.path[0] == os.getcwd()}
`,
        'frames.py': 'word = "mine"',
      })
      expect((await container.init(archive)).status).toBe(200)
      for (let i = 0; i < 2; i++) {
        expect((await container.run()).body).toEqual({ read: '', frames: 'mine', code: true, path: true })
      }
    })

    it('runs text that begins like a script', async () => {
      const container = await startContainer()
      await container.init('#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\ndef main(args): return {"fine": "☃"}')
      expect((await container.run()).body).toEqual({ fine: '☃' })
    })
  })
})
