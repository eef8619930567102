/**
 * One child process for JSONata, and the queue before it (design.md §8): a worker is not enough, because running out of
 * memory in one ends the whole process. The child is started at the first use, kept warm, and ended when it breaks a bound;
 * then a new one is started.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { filterLimits } from '../limits.ts'
import { JsonataError, type JsonataErrorKind } from './evaluator.ts'
import { isNestedAtMost } from './json-depth.ts'

export type ChildEvaluatorOptions = {
  /** Default: `filterLimits.jsonataEvaluationMs`, 5. */
  readonly evaluationMs?: number
  /** Default: `filterLimits.jsonataAnswerMs`, 250. */
  readonly answerMs?: number
}

/** Who decides what the child is for. */
export type ChildOwner = {
  /** Asked when an expression's turn has come: one that is turned away is rejected with `turnedAway`. */
  readonly turnsAway: (expression: string) => boolean
  /** Told of an expression for which the child had to be ended, before it is rejected. */
  readonly ended: (expression: string) => void
}

/** To be evaluated by another child, or not now. */
export const turnedAway = new JsonataError('closed', 'the expression is evaluated elsewhere')

type Job = {
  readonly expression: string
  readonly input: string
  resolve(result: unknown): void
  reject(error: JsonataError): void
}

type Answer = {
  readonly ready?: true
  readonly text?: string
  readonly kind?: JsonataErrorKind
  readonly message?: string
}

/** Does not keep the process alive while nothing is being evaluated. */
export class ChildEvaluator {
  readonly #owner: ChildOwner
  readonly #evaluationMs: number
  readonly #answerMs: number
  #child: ChildProcess | undefined
  #ready = false
  #waiting: Job[] = []
  #running: Job | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false
  /** Starts in a row that came to nothing. */
  #failures = 0

  constructor({ evaluationMs, answerMs }: ChildEvaluatorOptions, owner: ChildOwner) {
    this.#owner = owner
    this.#evaluationMs = evaluationMs ?? filterLimits.jsonataEvaluationMs
    this.#answerMs = answerMs ?? filterLimits.jsonataAnswerMs
  }

  async evaluate(expression: string, input: unknown): Promise<unknown> {
    if (this.#closed) throw new JsonataError('closed', 'the JSONata evaluator is closed')
    if (this.#waiting.length >= filterLimits.jsonataQueueMax)
      throw new JsonataError('time', 'too many JSONata evaluations are waiting')
    const text = inputText(input)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ expression, input: text, resolve, reject })
      this.#proceed()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    const child = this.#child
    this.#rejectAll(new JsonataError('closed', 'the JSONata evaluator is closed'))
    if (child === undefined) return
    const exited = new Promise(resolve => child.once('exit', resolve))
    this.#end(child)
    await exited
  }

  #proceed(): void {
    if (this.#running !== undefined) return
    while (this.#waiting[0] !== undefined && this.#owner.turnsAway(this.#waiting[0].expression))
      this.#waiting.shift()?.reject(turnedAway)
    if (this.#waiting.length === 0) return
    const child = (this.#child ??= this.#start())
    if (!this.#ready) return
    const job = this.#waiting.shift() as Job
    this.#running = job
    setReferenced(child, true)
    this.#setTimer(this.#answerMs, () => this.#lose(child, new JsonataError('time', 'the expression took too long')))
    child.send({ expression: job.expression, input: job.input }, error => {
      if (error !== null) this.#lose(child, new JsonataError('closed', 'the JSONata process is gone'))
    })
  }

  #start(): ChildProcess {
    const limits = {
      evaluationMs: this.#evaluationMs,
      bytesMax: filterLimits.jsonataBytesMax,
      stackMax: filterLimits.jsonataStackMax,
      sequenceMax: filterLimits.jsonataSequenceMax,
      cacheMax: filterLimits.jsonataCacheMax,
    }
    const child = fork(childPath(), [JSON.stringify(limits)], {
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [`--max-old-space-size=${filterLimits.jsonataMemoryMb}`],
    })
    this.#ready = false
    this.#setTimer(filterLimits.jsonataStartMs, () =>
      this.#lose(child, new JsonataError('closed', 'the JSONata process does not start')),
    )
    child.on('message', message => this.#receive(child, message as Answer))
    child.on('error', () => this.#lose(child, new JsonataError('closed', 'the JSONata process does not start')))
    // It ends by itself only when its memory is used up.
    child.on('exit', () => this.#lose(child, new JsonataError('size', 'the expression needs too much memory')))
    return child
  }

  #receive(child: ChildProcess, answer: Answer): void {
    if (child !== this.#child) return
    clearTimeout(this.#timer)
    if (answer.ready) {
      this.#ready = true
      this.#failures = 0
    } else {
      const job = this.#running
      this.#running = undefined
      if (job) settle(job, answer)
    }
    if (this.#waiting.length === 0) setReferenced(child, false)
    this.#proceed()
  }

  /** The child is of no use any more: its job fails, the next one gets a new child. */
  #lose(child: ChildProcess, error: JsonataError): void {
    if (child !== this.#child) return
    const job = this.#running
    this.#running = undefined
    const started = this.#ready
    this.#end(child)
    if (job) this.#owner.ended(job.expression)
    job?.reject(error)
    if (!started && ++this.#failures >= failuresMax) {
      this.#failures = 0
      this.#rejectAll(new JsonataError('closed', 'the JSONata process does not start'))
    }
    this.#proceed()
  }

  #end(child: ChildProcess): void {
    clearTimeout(this.#timer)
    this.#child = undefined
    this.#ready = false
    child.kill('SIGKILL')
  }

  #rejectAll(error: JsonataError): void {
    const jobs = [...(this.#running ? [this.#running] : []), ...this.#waiting]
    this.#running = undefined
    this.#waiting = []
    for (const job of jobs) job.reject(error)
  }

  #setTimer(ms: number, run: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(run, ms)
  }
}

const failuresMax = 3

function settle(job: Job, { text, kind, message }: Answer): void {
  if (kind !== undefined) job.reject(new JsonataError(kind, message ?? ''))
  else if (text === undefined) job.resolve(undefined)
  else if (!isNestedAtMost(text, filterLimits.jsonataDepthMax))
    job.reject(new JsonataError('depth', `the result is nested deeper than ${filterLimits.jsonataDepthMax}`))
  else job.resolve(JSON.parse(text))
}

function inputText(input: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(input)
  } catch {
    throw new JsonataError('depth', 'the input is no JSON')
  }
  if (text === undefined) throw new JsonataError('depth', 'the input is no JSON')
  if (text.length > filterLimits.jsonataBytesMax) throw new JsonataError('size', 'the input is too large')
  if (!isNestedAtMost(text, filterLimits.jsonataDepthMax))
    throw new JsonataError('depth', `the input is nested deeper than ${filterLimits.jsonataDepthMax}`)
  return text
}

function setReferenced(child: ChildProcess, referenced: boolean): void {
  if (referenced) {
    child.ref()
    child.channel?.ref()
  } else {
    child.unref()
    child.channel?.unref()
  }
}

/** Beside this module, which lies in src or in dist/src. */
function childPath(): string {
  const built = import.meta.url.includes('/dist/src/filter/jsonata/')
  return fileURLToPath(new URL(built ? '../../../../src/filter/jsonata/child.mjs' : './child.mjs', import.meta.url))
}
