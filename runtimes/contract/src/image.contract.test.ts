import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { describeWays, dockerWay, engineDoes, hardening, missingImage, startDocker } from './index.ts'

/** What is true of the images as such, and what only shows where the proxy is the first process of a container. */

const python = 'sluice/action-python-v3.11:latest'
const images: [string, string, string][] = [
  ['sluice/action-nodejs-v20:latest', 'node:20-bookworm-slim', 'nodejs:20'],
  [python, 'python:3.11-slim-bookworm', 'python:3.11'],
  ['sluice/action-skeleton:latest', 'python:3.11-slim-bookworm', 'blackbox'],
]

/** Code that returns what it gets, by kind. */
const programs: Record<string, string> = {
  'nodejs:20': 'function main(args) { return args }',
  'python:3.11': 'def main(args): return args',
  blackbox: '#!/bin/bash\necho "$1"',
}

describe.each(images)('the image %s', (image, base, kind) => {
  describeWays([dockerWay({ image })], () => {
    it('says what it is, runs as nobody in particular, and is little more than its base', async context => {
      const { Config, Size } = await engineDoes('GET', `/images/${image}/json`)
      expect(Config.User).toBe('1001:1001')
      expect(Config.Labels['sluice.runtime']).toBe(kind)
      expect(Config.Labels['org.opencontainers.image.licenses']).toBe('Apache-2.0')
      if ((await missingImage(base)) !== undefined) return context.skip(`needs docker: there is no image ${base}`)
      const { Size: baseSize } = await engineDoes('GET', `/images/${base}/json`)
      expect(Size - baseSize).toBeLessThan(15e6)
    })

    it('listens on port 8080 where no socket is named', async () => {
      const { Id: network } = await engineDoes('POST', '/networks/create', {
        Name: `sluice-test-${randomUUID()}`,
        Labels: { 'sluice.test': String(process.pid) },
      })
      // Called last to first: a network goes after what is in it.
      onTestFinished(() => engineDoes('DELETE', `/networks/${network}`))
      const { Id: id } = await engineDoes('POST', '/containers/create', {
        Image: image,
        Labels: { 'sluice.test': String(process.pid) },
        HostConfig: {
          ...hardening,
          NetworkMode: network,
          Tmpfs: { '/tmp': 'rw,noexec', '/action': 'rw,exec' },
          PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
        },
      })
      onTestFinished(() => engineDoes('DELETE', `/containers/${id}?force=1&v=1`))
      await engineDoes('POST', `/containers/${id}/start`)
      const { NetworkSettings } = await engineDoes('GET', `/containers/${id}/json`)
      const url = `http://127.0.0.1:${NetworkSettings.Ports['8080/tcp'][0].HostPort}`
      // The engine's own door opens before the runtime's and may let a request lie.
      await expect
        .poll(async () => (await fetch(`${url}/`, { signal: AbortSignal.timeout(1000) })).status, { timeout: 15_000 })
        .toBeGreaterThan(399)
      const body = JSON.stringify({ value: { name: 'x', main: 'main', code: programs[kind] } })
      expect((await fetch(`${url}/init`, { method: 'POST', body })).status).toBe(200)
      const answer = await fetch(`${url}/run`, { method: 'POST', body: '{"value":{"a":"☃"}}' })
      expect(await answer.json()).toEqual({ a: '☃' })
    })
  })
})

describeWays([dockerWay({ image: python })], way => {
  describe('the proxy as the first process of a container', () => {
    it('takes the processes off the table that actions leave behind', async () => {
      const container = await way.start()
      await container.init(`import os, subprocess, time
def main(args):
    # The shell ends at once; its child ends later, when nobody but the first process can wait for it.
    pid = int(subprocess.run(['sh', '-c', 'sleep 0.05 >/dev/null & echo $!'], stdout=subprocess.PIPE).stdout)
    deadline = time.monotonic() + 5
    while os.path.exists('/proc/%d' % pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return {'gone': not os.path.exists('/proc/%d' % pid)}
`)
      for (let i = 0; i < 3; i++) expect((await container.run()).body).toEqual({ gone: true })
    })

    it('breaks the connection and ends when the kernel took its child for memory', async () => {
      const container = await startDocker({ image: python, memoryMb: 64 })
      await container.init('def main(args): return {"size": len(bytearray(1 << 30))}')
      await expect(container.run()).rejects.toThrow()
      expect((await container.exited).code).toBe(137)
    })

    it('only tells of an exit where the action ended itself by the same signal', async () => {
      const container = await way.start()
      await container.init('import os\ndef main(args): os.kill(os.getpid(), 9)')
      expect(await container.run()).toMatchObject({ status: 400, body: { error: 'command exited' } })
    })
  })
})

describe('the proxy', () => {
  it('passes its own tests and checks', context => {
    const cwd = join(import.meta.dirname, '..', '..', 'proxy')
    const go = (...args: string[]) => execFileSync('go', args, { cwd, stdio: 'pipe', encoding: 'utf8' })
    try {
      go('version')
    } catch {
      return context.skip('needs go: it is not installed')
    }
    expect(execFileSync('gofmt', ['-l', '.'], { cwd, encoding: 'utf8' })).toBe('')
    go('vet', './...')
    expect(go('test', './...')).toMatch(/^ok/)
  }, 120_000)
})
