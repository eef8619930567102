'use strict'
const {
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  rmSync,
  writeFileSync,
} = require('node:fs')
const { tmpdir } = require('node:os')
const { dirname, join } = require('node:path')
const { Denied, anyOf, run, startedWith } = require('./attempt.cjs')

const name = `sluice-probe-${process.pid}`

/** Makes a file there and takes it away again. */
function write(directory) {
  const file = join(directory, name)
  writeFileSync(file, '')
  rmSync(file)
  return 'written'
}

module.exports = [
  {
    name: 'write to the system',
    reach: () => anyOf(Object.fromEntries(['/', '/usr/bin', '/etc'].map(path => [path, () => write(path)]))),
  },
  {
    name: 'run a program of its own from the temporary directory',
    async reach() {
      const file = join(tmpdir(), name)
      copyFileSync('/bin/echo', file)
      try {
        return run(file, 'ran')
      } finally {
        rmSync(file, { force: true })
      }
    },
  },
  {
    name: 'read a disk as a device, or make a device',
    async reach() {
      const disks = readdirSync('/sys/class/block').filter(disk => !/^(loop|ram|dm-|zram|sr)/.test(disk))
      const numbers = disks.map(disk => readFileSync(`/sys/class/block/${disk}/dev`, 'utf8').trim().split(':'))
      const read = file => {
        const descriptor = openSync(file, 'r')
        try {
          return `${readSync(descriptor, Buffer.alloc(512))} bytes`
        } finally {
          closeSync(descriptor)
        }
      }
      const made = ([major, minor]) => {
        const file = join(tmpdir(), `${name}.device`)
        run('mknod', file, 'b', major, minor)
        try {
          return read(file)
        } finally {
          rmSync(file, { force: true })
        }
      }
      return anyOf({
        ...Object.fromEntries(disks.map(disk => [`/dev/${disk}`, () => read(`/dev/${disk}`)])),
        ...Object.fromEntries(numbers.slice(0, 2).map(pair => [`mknod ${pair.join(':')}`, () => made(pair)])),
      })
    },
  },
  {
    name: "write to the hub's own directories and to mounts of the host",
    async reach({ dataDir = '/nowhere' }) {
      const socket = startedWith('SLUICE_LISTEN') ?? startedWith('__OW_LISTEN_SOCKET') ?? '/nowhere/s'
      const mounts = readFileSync('/proc/self/mounts', 'utf8')
        .split('\n')
        .map(line => line.split(' '))
        .filter(
          ([, path, type]) =>
            path &&
            ['/run/sluice', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf'].includes(path) &&
            type !== 'tmpfs',
        )
        .map(([, path]) => path)
      const open = path => {
        closeSync(openSync(path, 'r+'))
        return 'opened for writing'
      }
      return anyOf({
        'data directory': () => write(dataDir),
        'directory of sockets': () => {
          if (dirname(dirname(socket)) === '/') throw new Denied('there is none')
          return write(dirname(socket))
        },
        ...Object.fromEntries(mounts.map(path => [path, () => (path === '/run/sluice' ? write(path) : open(path))])),
      })
    },
  },
]
