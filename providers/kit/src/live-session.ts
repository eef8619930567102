import { setMaxListeners } from 'node:events'
import { closedError } from './feed-error.ts'
import type { Config, FeedEvent, FireOutcome, Session } from './feed.ts'
import type { SubscriptionDocument } from './subscription.ts'

/** What a session does through those that own documents and delivery. */
export type SessionWork = {
  fire(session: LiveSession, event: FeedEvent): Promise<FireOutcome>
  disable(session: Session, message: string, statusCode?: number): Promise<void>
  remove(session: Session, also: 'nothing' | 'trigger' | 'rules'): Promise<boolean>
}

/** A session that costs little while nothing happens: thousands wait for their moment. */
export class LiveSession implements Session {
  readonly id: string
  readonly document: SubscriptionDocument
  readonly config: Config
  readonly #work: SessionWork
  #controller: AbortController | undefined
  #ended = false
  /** Whoever was shown the signal may keep it; else it goes when no fire needs it any more. */
  #signalShown = false
  #fires = 0

  constructor(id: string, document: SubscriptionDocument, config: Config, work: SessionWork) {
    this.id = id
    this.document = document
    this.config = config
    this.#work = work
  }

  get subId() {
    return this.document.subId
  }
  get generation() {
    return this.document.generation
  }
  get namespace() {
    return this.document.namespace
  }
  get trigger() {
    return this.document.trigger
  }
  get feed() {
    return this.document.feed
  }
  get common() {
    return this.document.common
  }
  get createdAtMs() {
    return this.document.createdAtMs
  }
  get changedAtMs() {
    return this.document.changedAtMs
  }
  get resumeFromMs() {
    return this.document.resumeFromMs
  }
  get ended() {
    return this.#ended
  }

  get signal(): AbortSignal {
    this.#signalShown = true
    return this.#open().signal
  }

  fire(event: FeedEvent): Promise<FireOutcome> {
    return this.#work.fire(this, event)
  }
  disable(message: string, statusCode?: number): Promise<void> {
    return this.#work.disable(this, message, statusCode)
  }
  remove(also: 'nothing' | 'trigger' | 'rules'): Promise<boolean> {
    return this.#work.remove(this, also)
  }

  /** Lends the signal to one fire. */
  async withSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#fires++
    try {
      return await work(this.#open().signal)
    } finally {
      if (--this.#fires === 0 && !this.#signalShown) this.#controller = undefined
    }
  }

  end(): void {
    this.#ended = true
    this.#controller?.abort(closedError())
  }

  #open(): AbortController {
    if (!this.#controller) {
      this.#controller = new AbortController()
      // Each event that waits listens, and a session has as many as its feed lets it.
      setMaxListeners(0, this.#controller.signal)
      if (this.#ended) this.#controller.abort(closedError())
    }
    return this.#controller
  }
}
