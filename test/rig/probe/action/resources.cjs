'use strict'
const { spawn } = require('node:child_process')
const { closeSync, openSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const os = require('node:os')
const { join } = require('node:path')
const { Denied, anyOf } = require('./attempt.cjs')

const pause = ms => new Promise(done => setTimeout(done, ms))

/** What is `alone` may cost the container its life: the caller runs it by itself, and takes the run's end as a denial. */
module.exports = [
  {
    name: 'use more memory than its limit',
    alone: true,
    async reach() {
      // 1.5 times the limit, which is 256 MB.
      const kept = []
      for (let part = 0; part < 24; part++) {
        kept.push(Buffer.alloc(16 << 20, 1))
        await pause(5)
      }
      await pause(2000)
      return `${kept.length * 16} MB`
    },
  },
  {
    name: 'start more processes than 256',
    alone: true,
    async reach() {
      // Each ends by itself after some seconds, whatever becomes of the others.
      const script = 'n=0; while [ $n -lt 300 ]; do sleep 6 & n=$((n + 1)); echo $n; done; wait'
      const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'], detached: true })
      let said = ''
      child.stdout.on('data', chunk => (said += chunk))
      const ended = new Promise(resolve => child.once('exit', resolve))
      await Promise.race([ended, pause(5000)])
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {
        // All have ended.
      }
      const count = said.trim().split('\n').length
      if (count < 300) throw new Denied(`only ${count} were started`)
      return `${count} processes at once`
    },
  },
  {
    name: 'fill the disk',
    async reach() {
      // Twice what the test gives /tmp in a container.
      const file = join(os.tmpdir(), `sluice-probe-fill-${process.pid}`)
      try {
        writeFileSync(file, Buffer.alloc(8 << 20, 1))
        return '8 MB were taken'
      } finally {
        rmSync(file, { force: true })
      }
    },
  },
  {
    name: 'hold more than 1,024 open files',
    async reach() {
      const held = []
      try {
        while (held.length < 1100) held.push(openSync('/dev/null'))
        return `${held.length} open files`
      } finally {
        for (const descriptor of held) closeSync(descriptor)
      }
    },
  },
  {
    name: 'take more than its share of the CPU',
    async reach({ hubPid }) {
      return anyOf({
        priority() {
          os.setPriority(-5)
          os.setPriority(0)
          return 'raised above others'
        },
        share() {
          const own = readFileSync('/proc/self/cgroup', 'utf8')
          let hubs
          try {
            hubs = readFileSync(`/proc/${hubPid}/cgroup`, 'utf8')
          } catch {
            throw new Denied('of its own')
          }
          if (own !== hubs) throw new Denied('not the one of the hub')
          return 'none of its own: it competes like the hub'
        },
      })
    },
  },
  {
    name: 'print more than its log limit',
    alone: true,
    async reach() {
      // The log limit is 1 MB; the caller looks how much was kept.
      for (let line = 0; line < 3 * 1024; line++) console.log('x'.repeat(1023))
      return '3 MB printed'
    },
  },
]
