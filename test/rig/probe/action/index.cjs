'use strict'
const { attempt } = require('./attempt.cjs')

/**
 * The probe of docs/security.md: tries 34 ways to get out of a container, or to get more than its share. Whatever it
 * changes it puts back, and what it takes is bounded, so that it can also be run where nothing holds it.
 *
 * `args.knowledge`: what a well-informed attacker may know (see run-probe.ts); `args.only`: names of attempts.
 * Returns `{ attempts: [{ name, group, denied, detail }], api }`; `api`: whether the hub's public API answers, which is no
 * attempt but what a policy may allow.
 */
const attempts = ['privilege', 'kernel', 'files', 'resources', 'host', 'network', 'platform'].flatMap(group =>
  require(`./${group}.cjs`).map(each => ({ group, ...each })),
)

exports.main = async ({ knowledge = {}, only }) => {
  const results = []
  for (const each of attempts) {
    if (only === undefined ? each.alone !== true : only.includes(each.name))
      results.push(await attempt(each, knowledge))
  }
  return { attempts: results, api: await answers(`${process.env.__OW_API_HOST}/ping`) }
}

function answers(url) {
  return fetch(url, { signal: AbortSignal.timeout(3000) }).then(
    ({ ok }) => ok,
    () => false,
  )
}
