/**
 * Runs JSONata in a process of its own: one expression and one input at a time, from the parent and back to it. Plain
 * JavaScript, because it is started by its path, with and without a build. Its only ways out are its answers.
 */
import jsonata from 'jsonata'
import { LinearRegExp } from './linear-regexp.mjs'

const limits = JSON.parse(process.argv[2] ?? '{}')
const compiled = new Map()

/** What would make a result depend on more than the input. */
const denied = ['now', 'millis', 'random', 'shuffle']

/**
 * The only clock: milliseconds since the evaluation began, 0 before the budget is used up, then the processor time of this
 * process, so that an expression is not charged for a busy machine.
 */
let beganMs = 0
let beganCpu = process.cpuUsage()
Date.now = () => {
  if (performance.now() - beganMs <= limits.evaluationMs) return 0
  const { user, system } = process.cpuUsage(beganCpu)
  return (user + system) / 1000
}

process.on('disconnect', () => process.exit())
process.on('message', message => void answer(message))
await warmUp()
process.send({ ready: true })

async function answer({ expression, input }) {
  try {
    const program = compile(expression)
    const value = JSON.parse(input)
    const result = await evaluate(program, value)
    // Functions and sequences that know more than their items are no JSON.
    const text = result === undefined ? undefined : JSON.stringify(result)
    if (text !== undefined && text.length > limits.bytesMax)
      process.send({ kind: 'size', message: 'the result is too large' })
    else process.send({ text })
  } catch (error) {
    process.send(problemOf(error))
  }
}

function compile(expression) {
  let program = compiled.get(expression)
  if (program === undefined) {
    program = jsonata(expression, {
      RegexEngine: LinearRegExp,
      timeout: limits.evaluationMs,
      stack: limits.stackMax,
      sequence: limits.sequenceMax,
    })
    for (const name of denied) program.registerFunction(name, deny(name))
    if (compiled.size >= limits.cacheMax) compiled.delete(compiled.keys().next().value)
    compiled.set(expression, program)
  }
  return program
}

async function evaluate(program, value) {
  beganMs = performance.now()
  beganCpu = process.cpuUsage()
  return program.evaluate(value)
}

function deny(name) {
  return () => {
    throw { code: 'denied', message: `$${name} is not available: results depend on the input alone` }
  }
}

function problemOf(error) {
  const kinds = { D1012: 'time', D1011: 'depth', D2015: 'size' }
  const kind = kinds[error?.code] ?? (error instanceof RangeError ? kindOfRange(error) : 'expression')
  return { kind, message: String(error?.message ?? error).slice(0, 300) }
}

/** A text or a list beyond what the engine can hold, or the end of its stack. */
function kindOfRange({ message }) {
  return /length/.test(message) ? 'size' : 'depth'
}

/** Compiles the paths that every expression takes, so that the first one has its whole budget. */
async function warmUp() {
  const program = jsonata('$sum(items[price > 1].(price * quantity)) & $string(a.b) ~> $uppercase', {
    timeout: 1000,
    stack: 1000,
  })
  const input = { a: { b: [1, { c: 'x' }] }, items: Array.from({ length: 5 }, (_, n) => ({ price: n, quantity: 2 })) }
  for (let round = 0; round < 200; round++) await program.evaluate(input)
  // The first regular expression would pay for the engine's tables, and the first expression for what V8 still compiles in
  // the background: both count as time of the processor.
  new LinearRegExp(/(a)[0-9]+/gi).exec('xa1')
  for (let pause = 0; pause < 20; pause++) {
    const since = process.cpuUsage()
    await new Promise(done => setTimeout(done, 5))
    const { user, system } = process.cpuUsage(since)
    if (user + system < 1000) return
  }
}
