'use strict'
const { readFileSync, readdirSync } = require('node:fs')
const { connect } = require('node:net')
const { Denied, anyOf } = require('./attempt.cjs')

function connected(where) {
  return new Promise((resolve, reject) => {
    const socket = connect(where)
    socket.setTimeout(700, () => socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })))
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.destroy()
      resolve('connected')
    })
  })
}

/** Whether a process with the hub's number is the hub. */
function hubCommand(hubPid) {
  const command = readFileSync(`/proc/${hubPid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  if (!command.includes('--data-dir')) throw new Denied('not the hub')
  return command
}

module.exports = [
  {
    name: 'see processes of others',
    async reach({ hubPid }) {
      hubCommand(hubPid)
      return `the hub and ${readdirSync('/proc').filter(name => /^\d+$/.test(name)).length - 1} more`
    },
  },
  {
    name: 'signal the hub',
    async reach({ hubPid }) {
      hubCommand(hubPid)
      process.kill(hubPid, 0)
      return 'it may'
    },
  },
  {
    name: "read the hub's environment and memory",
    async reach({ hubPid, hubSecret }) {
      if (!readFileSync(`/proc/${hubPid}/environ`, 'utf8').includes(hubSecret)) throw new Denied('not the hub')
      return "a secret of the hub's environment"
    },
  },
  {
    name: 'read files of the host',
    async reach({ hostFile, hostSecret }) {
      return anyOf(
        Object.fromEntries(
          ['', '/proc/1/root', '/host'].map(root => [
            root || 'its path',
            () => {
              if (readFileSync(`${root}${hostFile}`, 'utf8') !== hostSecret) throw new Denied('another file')
              return 'read'
            },
          ]),
        ),
      )
    },
  },
  {
    name: "reach the container engine's socket",
    reach: () =>
      anyOf(
        Object.fromEntries(
          [
            '/var/run/docker.sock',
            '/run/docker.sock',
            '/run/containerd/containerd.sock',
            '/run/podman/podman.sock',
          ].map(path => [path, () => connected({ path })]),
        ),
      ),
  },
  {
    name: 'read shared memory of the host',
    async reach({ sharedMemory, hostSecret }) {
      if (readFileSync(sharedMemory, 'utf8') !== hostSecret) throw new Denied('another file')
      return 'read'
    },
  },
]
module.exports.connected = connected
