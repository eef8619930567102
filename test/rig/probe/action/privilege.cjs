'use strict'
const { spawn } = require('node:child_process')
const { chownSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { Denied, run } = require('./attempt.cjs')

module.exports = [
  {
    name: 'become root',
    async reach() {
      process.setuid(0)
      return `uid ${process.getuid()}`
    },
  },
  {
    name: 'gain the rights of a set-user-ID program',
    async reach() {
      // It waits for a password, on a pipe that never brings one.
      const child = spawn('su', ['-c', 'true', 'root'], { stdio: ['pipe', 'ignore', 'ignore'] })
      const ended = new Promise((resolve, reject) => {
        child.once('exit', resolve)
        child.once('error', reject)
      })
      try {
        for (let looks = 0; looks < 50; looks++) {
          await Promise.race([ended, new Promise(done => setTimeout(done, 10))])
          const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
          if (!/^Name:\s+su$/m.test(status)) continue
          const [, real, effective] = /^Uid:\s+(\d+)\s+(\d+)/m.exec(status)
          if (effective === '0') return `su runs with effective uid 0 for uid ${real}`
          throw new Denied(`su keeps effective uid ${effective}`)
        }
        throw new Denied('su ended at once')
      } finally {
        child.kill('SIGKILL')
      }
    },
  },
  {
    name: 'use a capability: give a file to another user',
    async reach() {
      const file = join(tmpdir(), `probe-chown-${process.pid}`)
      writeFileSync(file, '')
      try {
        chownSync(file, 4242, 4242)
        return 'the file belongs to uid 4242'
      } finally {
        rmSync(file, { force: true })
      }
    },
  },
  {
    name: 'be root in a user namespace',
    reach: async () => `uid ${run('unshare', '--user', '--map-root-user', 'id', '-u')}`,
  },
]
