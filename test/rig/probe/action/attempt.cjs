'use strict'
const { execFileSync } = require('node:child_process')
const { readFileSync } = require('node:fs')

/** Thrown by an attempt that did not get what it wanted. */
class Denied extends Error {}

/** Runs one attempt: `reach` resolves to a text about what it got, or rejects with the reason why it did not. */
async function attempt({ name, group, reach }, knowledge) {
  try {
    return { name, group, denied: false, detail: brief(await reach(knowledge)) }
  } catch (error) {
    return { name, group, denied: true, detail: brief(error.code ?? error.message) }
  }
}

/** The first of several ways that works; rejects with the reasons of all. */
async function anyOf(ways) {
  const reasons = []
  for (const [what, way] of Object.entries(ways)) {
    try {
      return `${what}: ${brief(await way())}`
    } catch (error) {
      reasons.push(`${what}: ${brief(error.code ?? error.message)}`)
    }
  }
  throw new Denied([...new Set(reasons)].join('; '))
}

/** Runs a program of the system; its complaint is the reason. */
function run(file, ...args) {
  try {
    const how = {
      timeout: 5000,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    }
    return execFileSync(file, args, how).trim()
  } catch (error) {
    throw new Denied(error.code ?? (`${error.stderr ?? ''}`.trim() || `code ${error.status}, ${error.signal}`))
  }
}

/** A variable that the process was started with, also if it is not in `process.env` any more. */
function startedWith(name) {
  const line = readFileSync('/proc/self/environ', 'utf8')
    .split('\0')
    .find(text => text.startsWith(`${name}=`))
  return line?.slice(name.length + 1)
}

function brief(text) {
  const words = String(text ?? '').replace(/[\s|]+/g, ' ')
  return words.length > 200 ? `${words.slice(0, 200)}…` : words
}

module.exports = { Denied, anyOf, attempt, run, startedWith }
