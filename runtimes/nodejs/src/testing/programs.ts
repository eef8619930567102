import type { Answers, Programs } from '@sluice/runtime-contract'

/** What Node.js actions are in the suite that every runtime passes, and what this runtime answers in its own words. */
export const programs: Programs = {
  echo: `function main(args) { console.log('hello stdout'); console.error('hello stderr'); return args }`,
  silentEcho: 'function main(args) { return args }',
  niam: 'function niam(args) { return args }',
  archive: { 'index.js': 'exports.main = args => args' },
  variables: names =>
    `function main() { return Object.fromEntries(${JSON.stringify(names)}.map(name => [name, process.env[name]])) }`,
  variablesAtLoad: 'const seen = { ...process.env }; function main() { return seen }',
  returnsText: 'function main() { return "not a json object" }',
  winter: `
    function main({ delimiter }) {
      const winter = delimiter + ' ☃ ' + delimiter
      console.log(winter)
      return { winter }
    }`,
  wraps: 'function main(args) { return { args } }',
  returnsList: 'function main() { return ["a", "b"] }',
  returnsError: 'function main() { return { error: "sorry" } }',
  returnsNothing: 'function main() {}',
  prints: 'console.log("loading"); function main({ n }) { console.log(n); console.error(-n) }',
  writes: `
    function main({ text }) {
      process.stdout.write(text)
      process.stderr.write(Buffer.from(text))
      process.stdout.write('')
    }`,
  muchOutput: `
    function main() {
      const line = 'x'.repeat(1023)
      for (let i = 0; i < 5 * 1024; i++) console.log(line)
      return { result: 'y'.repeat(1024 * 1024) }
    }`,
  measures: `
    function main() {
      gc()
      return { bytes: process.memoryUsage().heapUsed, descriptors: require('fs').readdirSync('/dev/fd').length }
    }`,
  // That it listens to the signal itself changes nothing.
  slow: `
    process.on('SIGTERM', () => {})
    function main() { console.log('begun'); return new Promise(r => setTimeout(r, 500, { n: 1 })) }`,
  slowIfTold: `
    function main({ wait }) {
      if (!wait) return { next: true }
      console.log('begun')
      return new Promise(r => setTimeout(() => { console.log('ended'); r() }, 500))
    }`,
}

const badArchive = (kind: string): string =>
  `Initialization has failed due to: There was an error uncompressing the action ${kind} archive.`
const badRequest = { status: 500, error: 'Bad request.' }

export const answers: Answers = {
  initialised: '{"OK":true}',
  initialisedAgain: 'Internal system error: Cannot initialize the action more than once.',
  uninitialised: { status: 403, error: 'System not initialized.' },
  noDictionary: 'The action did not return a dictionary.',
  noMethod: badRequest,
  noPath: badRequest,
  badInits: ['{', '"text"', '12', 'null'],
  badInit: badRequest,
  badZip: badArchive('Zip'),
  badTar: badArchive('Tar GZ'),
}
