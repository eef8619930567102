'use strict'
const { closeSync, openSync, readFileSync, readSync, writeFileSync, constants } = require('node:fs')
const { Denied, anyOf, run } = require('./attempt.cjs')

/** Numbers of system calls that the default filter of engines keeps back; with these arguments none changes anything. */
const calls = {
  x64: { keyctl: 250, bpf: 321, init_module: 175, perf_event_open: 298 },
  arm64: { keyctl: 219, bpf: 280, init_module: 105, perf_event_open: 241 },
}

module.exports = [
  {
    name: 'mount a file system',
    // In a mount namespace of its own: nobody else sees it, and it ends with the program.
    reach: async () => run('unshare', '--mount', 'sh', '-c', 'mount -t tmpfs -o size=64k probe /mnt && echo mounted'),
  },
  {
    name: 'write a setting of the kernel',
    async reach() {
      const file = '/proc/sys/vm/swappiness'
      const value = readFileSync(file, 'utf8')
      writeFileSync(file, value)
      return `${file} was written (the value that it had)`
    },
  },
  {
    name: 'read the memory or the log of the kernel',
    reach: () =>
      anyOf(
        Object.fromEntries(
          ['/proc/kcore', '/dev/mem', '/dev/kmsg', '/proc/kmsg'].map(file => [
            file,
            () => {
              const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
              try {
                const bytes = readSync(descriptor, Buffer.alloc(8192), 0, 8192, null)
                if (bytes === 0) throw new Denied('empty')
                return `${bytes} bytes`
              } finally {
                closeSync(descriptor)
              }
            },
          ]),
        ),
      ),
  },
  {
    name: 'make system calls that containers do not need',
    async reach() {
      const numbers = calls[process.arch]
      if (numbers === undefined) throw new Denied(`numbers of ${process.arch} are not known`)
      const ways = Object.entries(numbers).map(([name, number]) => {
        // keyctl: the id of the session's keyring; the others are refused for their arguments if not before.
        const args = name === 'keyctl' ? '0, -3, 0' : '0, 0, 0, 0, 0'
        // 1 EPERM, 13 EACCES, 38 ENOSYS: it was kept back.
        const script = `my $r = syscall(${number}, ${args}); print "errno ", $r < 0 ? $! + 0 : 0`
        return [
          name,
          () => {
            const said = run('perl', '-e', script)
            if (/errno (1|13|38)$/.test(said)) throw new Denied(said)
            return said
          },
        ]
      })
      return anyOf(Object.fromEntries(ways))
    },
  },
]
