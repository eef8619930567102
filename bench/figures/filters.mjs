import { createEvent, jsonData, textData } from '@sluice/cloudevents'
import { compileCesql, compileFilter, RuleSet, subjectOf } from '@sluice/cloudevents/filter'

/** Rules of one trigger against city lots, in the manner of aws/event-ruler's benchmark; one core. */
export async function filters({ quick }) {
  const total = quick ? 20_000 : 200_000
  const sets = Object.fromEntries(Object.entries(kinds).map(([kind, rule]) => [kind, ruleSet(200, rule)]))
  const many = { 100: ruleSet(100, mixed), 10_000: ruleSet(10_000, mixed) }
  const spentMs = {}
  const matches = {}
  const run = (name, set, events) => {
    const sinceMs = performance.now()
    let found = 0
    for (const event of events) found += set.match(subjectOf(event)).matched.length
    spentMs[name] = (spentMs[name] ?? 0) + performance.now() - sinceMs
    matches[name] = (matches[name] ?? 0) + found
  }
  const all = [...Object.entries(sets), ...Object.entries(many)]
  // Once over some events that do not count: the engine compiles what it runs often.
  const first = lotTexts(0, 5000)
  for (const [, set] of all) for (const event of parsed(first)) set.match(subjectOf(event))
  for (let from = 0; from < total; from += chunk) {
    const texts = lotTexts(from, Math.min(chunk, total - from))
    const events = parsed(texts)
    // New objects are moved once by the garbage collector, whoever looks at them first.
    for (const event of events) sets.exact.match(subjectOf(event))
    for (const [name, set] of all) run(name, set, events)
    run('parsing', sets.exact, texts.map(unparsed))
  }
  const perSecond = name => (total / spentMs[name]) * 1000
  return {
    'filters, 200 exact rules, events per s': perSecond('exact'),
    'filters, 200 prefix rules, events per s': perSecond('prefix'),
    'filters, 200 numeric rules, events per s': perSecond('numeric'),
    'filters, 200 anything-but rules, events per s': perSecond('anythingBut'),
    'filters, 200 anything-but rules, matches per event': matches.anythingBut / total,
    'filters, 200 rules and JSON parsed, events per s': perSecond('parsing'),
    'filters, 10,000 rules, times the cost of 100': spentMs[10_000] / spentMs[100],
    'filters, 10,000 rules, us per event': (spentMs[10_000] / total) * 1000,
    'CESQL, typical expression, per s': cesqlPerSecond(quick),
    ...filteredOut(quick),
    'rule set of 10,000 rules built, ms': builtMs(),
  }
}

const chunk = 10_000

/** Rule `n` of each kind; together they match some events. */
const kinds = {
  exact: n => ({ properties: { MAPBLKLOT: [blockLot(n * 997)] } }),
  prefix: n => ({ properties: { STREET: [{ prefix: streets[n % streets.length].slice(0, 3 + (n % 5)) }] } }),
  numeric: n => ({
    geometry: {
      type: ['Polygon'],
      firstCoordinates: { x: [{ numeric: ['>', west + n * 0.0007, '<=', west + n * 0.0007 + 0.0004] }] },
    },
  }),
  // Nearly all of them match nearly every event.
  anythingBut: n => ({ properties: { STREET: [{ 'anything-but': [streets[n % streets.length]] }] } }),
}

/** Many rules of which few match: lots, blocks, areas, streets with an area. */
function mixed(n) {
  const low = west + (n % 5000) * 0.00003
  const area = { x: [{ numeric: ['>', low, '<=', low + 0.00002] }] }
  switch (n % 4) {
    case 0:
      return { properties: { MAPBLKLOT: [blockLot(n * 31)] } }
    case 1:
      return { properties: { BLKLOT: [{ prefix: blockLot(n * 31).slice(0, 6) }], ODD_EVEN: ['E'] } }
    case 2:
      return { geometry: { firstCoordinates: area } }
    default:
      return { properties: { STREET: [`${streets[n % streets.length]} ${n}`] }, geometry: { firstCoordinates: area } }
  }
}

function ruleSet(count, rule) {
  const entries = Array.from({ length: count }, (_, id) => ({
    id,
    filter: compileFilter({ pattern: { type: ['com.example.lot'], data: rule(id) } }),
  }))
  return new RuleSet(entries)
}

function builtMs() {
  const sinceMs = performance.now()
  ruleSet(10_000, mixed)
  return performance.now() - sinceMs
}

function cesqlPerSecond(quick) {
  const expression = compileCesql("type = 'com.example.order.created' AND source LIKE '/orders/%' AND priority > 3")
  const subjects = ['/orders/1', '/orders/22', '/other'].map(source =>
    subjectOf(
      createEvent({ id: '1', source, type: 'com.example.order.created', extensions: { priority: 5, region: 'eu' } }),
    ),
  )
  return perSecondOf(quick, n => expression.evaluate(subjects[n % 3]).value)
}

/** What a rule costs that an event does not match: on its own, and as one of many that no index helps with. */
function filteredOut(quick) {
  const event = parsed(lotTexts(7, 1))[0]
  const alone = compileFilter({
    pattern: { type: [{ prefix: 'com.' }], data: { properties: { LOT_NUM: [{ wildcard: '9*9' }] } } },
  })
  const hard = Array.from({ length: 1000 }, (_, id) => ({
    id,
    filter: compileFilter(`type != 'com.example.lot' AND NOT EXISTS ext${id}`),
  }))
  const set = new RuleSet(hard)
  return {
    'filtered-out rule, on its own, us': 1e6 / perSecondOf(quick, () => alone.test(subjectOf(event)).matched),
    'filtered-out rule that no index helps, us':
      1e3 / perSecondOf(quick, () => set.match(subjectOf(event)).matched.length),
  }
}

function perSecondOf(quick, work) {
  const untilMs = (quick ? 100 : 500) * 2
  let count = 0
  let sum = 0
  let sinceMs = performance.now()
  const beganMs = sinceMs
  for (let warm = true; ;) {
    for (let n = 0; n < 100; n++) sum += Number(work(count++))
    const nowMs = performance.now()
    if (warm && nowMs - beganMs > untilMs / 2) {
      warm = false
      count = 0
      sinceMs = nowMs
    } else if (nowMs - beganMs > untilMs) return sum < 0 ? NaN : (count / (nowMs - sinceMs)) * 1000
  }
}

// City lots, made up: about 900 bytes of JSON each.

const west = -122.515
const streets = names(100)

function lotTexts(from, count) {
  return Array.from({ length: count }, (_, index) => lotText(from + index))
}

function lotText(n) {
  const next = random(n)
  const lot = blockLot(n)
  const x = west + next() * 0.15
  const y = 37.7 + next() * 0.13
  const corners = Array.from({ length: 6 + Math.floor(next() * 5) }, () => [x + next() / 1000, y + next() / 1000, 0])
  return JSON.stringify({
    type: 'Feature',
    properties: {
      MAPBLKLOT: lot,
      BLKLOT: lot,
      BLOCK_NUM: lot.slice(0, 4),
      LOT_NUM: lot.slice(4),
      FROM_ST: String(Math.floor(next() * 4000)),
      TO_ST: String(Math.floor(next() * 4000)),
      STREET: streets[Math.floor(next() * streets.length)],
      ST_TYPE: ['ST', 'AVE', 'BLVD', 'WAY', null][Math.floor(next() * 5)],
      ODD_EVEN: next() < 0.5 ? 'E' : 'O',
    },
    geometry: { type: next() < 0.95 ? 'Polygon' : 'MultiPolygon', coordinates: [corners], firstCoordinates: { x, y } },
  })
}

function blockLot(n) {
  return String((n * 7919) % 9_999_991).padStart(7, '0')
}

function names(count) {
  const next = random(4711)
  const letter = () => String.fromCharCode(65 + Math.floor(next() * 26))
  return Array.from({ length: count }, () => Array.from({ length: 5 + Math.floor(next() * 8) }, letter).join(''))
}

/** Numbers in [0, 1) from a seed (mulberry32). */
function random(seed) {
  let state = (seed * 2654435761) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const attributes = { source: '/city/lots', type: 'com.example.lot', time: '2026-01-01T00:00:00Z' }

function parsed(texts) {
  return texts.map((text, n) => createEvent({ ...attributes, id: String(n), data: jsonData(JSON.parse(text)) }))
}

/** Its data is parsed by the first filter that asks for it. */
function unparsed(text, n) {
  return createEvent({ ...attributes, id: String(n), datacontenttype: 'application/json', data: textData(text) })
}
