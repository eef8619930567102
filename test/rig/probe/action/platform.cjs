'use strict'
const { closeSync, constants, existsSync, openSync, readFileSync, readdirSync, readlinkSync } = require('node:fs')
const { request } = require('node:http')
const { join } = require('node:path')
const { Denied, anyOf, startedWith } = require('./attempt.cjs')

/** Calls a runtime as the invoker does. */
function call(where, path, value) {
  return new Promise((resolve, reject) => {
    const sent = request({ ...where, path, method: 'POST', agent: false, timeout: 2000 }, response => {
      response.resume()
      response.once('end', () => {
        if (response.statusCode === 200) resolve('status 200')
        else reject(new Denied(`status ${response.statusCode}`))
      })
    })
    sent.once('timeout', () => sent.destroy(new Denied('no answer')))
    sent.once('error', reject)
    sent.end(JSON.stringify({ value }))
  })
}

const open = (file, how) => {
  closeSync(openSync(file, how))
  return 'opened for writing'
}

module.exports = [
  {
    group: 'runtime takeover',
    name: "give a runtime other code, or run it: its own, a neighbour's",
    reach({ neighbour }) {
      const own = startedWith('SLUICE_LISTEN') ?? startedWith('__OW_LISTEN_SOCKET')
      const code = { main: 'main', code: 'function main() { return { taken: true } }' }
      const doors = {
        own: own === undefined ? { host: '127.0.0.1', port: 8080 } : { socketPath: own },
        neighbour: { socketPath: neighbour.socket },
      }
      return anyOf(
        Object.fromEntries(
          Object.entries(doors).flatMap(([whose, where]) => [
            [`/init of its ${whose}`, () => call(where, '/init', code)],
            [`/run of its ${whose}`, () => call(where, '/run', {})],
          ]),
        ),
      )
    },
  },
  {
    group: 'neighbour data',
    name: "read files or the environment of another tenant's action",
    reach({ neighbour }) {
      const holds = file => {
        if (!readFileSync(file, 'utf8').includes(neighbour.secret)) throw new Denied('not what it holds')
        return 'read'
      }
      return anyOf({
        'its file': () => holds(neighbour.file),
        'its environment': () => holds(`/proc/${neighbour.pid}/environ`),
        'its directory': () => holds(`/proc/${neighbour.pid}/cwd/secret`),
      })
    },
  },
  {
    group: 'platform secrets',
    name: 'read keys of the hub',
    reach({ dataDir, hubSecret, apiKey }) {
      const everything = `${JSON.stringify(process.env)}${readFileSync('/proc/self/environ', 'utf8')}`
      return anyOf({
        'its environment': () => {
          if (!everything.includes(hubSecret) && !everything.includes(apiKey)) throw new Denied('no secret')
          return 'a secret of the hub'
        },
        'master key': () => `${readFileSync(join(dataDir, 'master-key')).length} bytes`,
        'keys of users': () => `${readFileSync(join(dataDir, 'keys.json')).length} bytes`,
      })
    },
  },
  {
    group: 'known runtime escape',
    name: "leave by a leaked descriptor, a cgroup's release agent or the starter's program",
    reach({ hostFile, hostSecret }) {
      // CVE-2024-21626: a directory of the host left open; CVE-2022-0492: release_agent; CVE-2019-5736: the starter.
      const descriptors = ['self', '1'].flatMap(pid => {
        try {
          return readdirSync(`/proc/${pid}/fd`).map(fd => `/proc/${pid}/fd/${fd}`)
        } catch {
          return []
        }
      })
      const leaked = () => {
        for (const path of descriptors) {
          let target
          try {
            target = readlinkSync(path)
          } catch {
            continue
          }
          if (!target.startsWith('/') || target === '/dev/null') continue
          for (const up of ['', '/..', '/../..', '/../../..', '/../../../..', '/../../../../..']) {
            try {
              if (readFileSync(`${path}${up}${hostFile}`, 'utf8') === hostSecret) return `${path} is ${target}`
            } catch {
              // Not this way.
            }
          }
        }
        throw new Denied('none')
      }
      const groups = existsSync('/sys/fs/cgroup') ? readdirSync('/sys/fs/cgroup') : []
      return anyOf({
        'leaked descriptor': leaked,
        ...Object.fromEntries(
          ['', ...groups]
            .map(name => join('/sys/fs/cgroup', name, 'release_agent'))
            .filter(file => existsSync(file))
            .slice(0, 4)
            .map(file => [file, () => open(file, constants.O_WRONLY)]),
        ),
        core_pattern: () => open('/proc/sys/kernel/core_pattern', constants.O_WRONLY),
        '/proc/1/exe': () => open('/proc/1/exe', constants.O_WRONLY),
      })
    },
  },
]
