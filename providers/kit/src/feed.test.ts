import { feedContract } from './contract/index.ts'
import { defineFeed, parameterError, type FeedEvent, type ProviderDefinition, type Session } from './index.ts'

/** The smallest provider: a counter that the test turns, with a password and a memory of where each session was. */
function counter() {
  let total = 0
  const sessions = new Set<() => Promise<void>>()
  const positions = new Map<string, number>()

  const feed = defineFeed({
    name: 'count',
    description: 'Counts',
    parameters: [
      { name: 'step', type: 'number', description: 'How far', required: true, updatable: true },
      { name: 'password', type: 'string', description: 'A secret', secret: true, updatable: true },
    ],
    create({ step, password }) {
      if (typeof step !== 'number') throw parameterError('step is missing')
      return { config: { step, password } }
    },
    update(config, { step, password }, { otherUpdates }) {
      if (step === undefined && password === undefined && !otherUpdates) throw parameterError('nothing to update')
      return {
        config: { ...config, ...(step === undefined ? {} : { step }), ...(password === undefined ? {} : { password }) },
      }
    },
    describe: config => ({ ...config }),
    open: run,
  })

  async function run(session: Session): Promise<void> {
    if (!positions.has(session.subId)) positions.set(session.subId, total)
    let working = Promise.resolve()
    const catchUp = () => (working = working.then(() => deliver(session)).catch(() => undefined))
    sessions.add(catchUp)
    void catchUp()
    await new Promise(resolve => session.signal.addEventListener('abort', resolve, { once: true }))
    sessions.delete(catchUp)
    await working
  }

  async function deliver(session: Session): Promise<void> {
    for (let next = (positions.get(session.subId) ?? 0) + 1; next <= total; next++) {
      await session.fire(eventOf(session, next))
      positions.set(session.subId, next)
    }
  }

  const definition: ProviderDefinition = {
    name: 'counter',
    feeds: [feed],
    errorShape: 'flat',
    texts: {
      noTriggerName: 'no trigger name',
      unauthorized: 'You are not authorized for this trigger.',
      unauthorizedStatus: 401,
      adminDisabled: name => `${name} was disabled by an admin`,
      notFound: name => `${name} is unknown`,
    },
  }
  return {
    definition,
    async turn(count: number) {
      total += count
      await Promise.all([...sessions].map(catchUp => catchUp()))
    },
  }
}

function eventOf(session: Session, number: number): FeedEvent {
  return {
    id: `${session.subId}.${number}`,
    source: 'urn:counter',
    type: 'counted',
    timeMs: number,
    recordedAtMs: number,
    data: { number },
    attributes: { sequence: String(number).padStart(6, '0') },
  }
}

let current = counter()

feedContract({
  name: 'counter',
  setUp() {
    current = counter()
    const { definition } = current
    return { definition: () => definition }
  },
  valid: { step: 1, password: 'marked-password' },
  invalid: { step: 'far' },
  update: { parameters: { step: 2 }, shown: { step: 2 } },
  noUpdatable: 'nothing to update',
  unauthorized: { status: 401, text: 'You are not authorized for this trigger.' },
  async produce(harness, count) {
    const turned = current.turn(count)
    await harness.advance(count * 1000)
    void turned
  },
  secret: { name: 'password', value: 'marked-password' },
})
