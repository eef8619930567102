/** Many filters asked together about one event: the rules of a trigger, or the triggers of a namespace. */
import type { CompiledFilter } from '../compile-filter.ts'
import { compileClause, textOf, type CheckClause } from '../decide.ts'
import { Evaluation } from '../evaluation.ts'
import type { EvaluationError } from '../filter-error.ts'
import type { JsonataEvaluator } from '../jsonata/evaluator.ts'
import type { FilterSubject } from '../subject.ts'
import { ConditionTable } from './condition-table.ts'
import { conjunctsOf } from './guard-clause.ts'
import { rarest, type Conjunct, type Guard } from './guards.ts'
import { SharedGuards } from './shared-guards.ts'
import { PathIndex } from './path-index.ts'
import { ValueIndex } from './value-index.ts'

/** Without a filter every event matches. */
export type RuleSetEntry<Id> = { readonly id: Id; readonly filter?: CompiledFilter | undefined }

/** Outcome of one event, in no particular order. Who is in none of the lists was filtered out. */
export type RuleSetMatch<Id> = {
  readonly matched: readonly Id[]
  /** Did not match because something went wrong. */
  readonly failed: readonly { readonly id: Id; readonly error: EvaluationError }[]
  /** Depend on JSONata: `settle` decides them. */
  readonly undecided: readonly Id[]
}

type Growing<Id> = { failed: { id: Id; error: EvaluationError }[]; undecided: Id[] }

/**
 * Rules are indexed by what they ask of single values; an event is looked up in the index, and only rules that it leads to
 * are asked in full. Cost grows with what matches, and hardly with the number of rules. Immutable: build a new one when a
 * rule changes (some 5 ms for 1,000 rules).
 */
export class RuleSet<Id> {
  readonly #ids: Id[] = []
  readonly #filters: (CompiledFilter | undefined)[] = []
  /** Made when a rule is first asked in full, which most never are. */
  readonly #checks: (CheckClause | undefined)[] = []
  /** What a rule asks of attributes besides its guards; asked once for all rules. */
  readonly #conditions = new ConditionTable()
  /** -1: none. */
  readonly #firstConditions: number[] = []
  readonly #otherConditions: (readonly number[])[] = []
  /** Rules that match if a guard and these conditions hold. */
  readonly #sufficient: boolean[] = []
  readonly #later: boolean[] = []

  readonly #texts = new Map<string, { readonly values: ValueIndex; readonly untexted: number[] }>()
  readonly #attributes: (readonly [name: string, index: PathIndex])[]
  readonly #data: PathIndex | undefined
  /** Rules with a guard in the payload. */
  readonly #dataGuarded: number[] = []
  /** Rules that no value leads to. */
  readonly #unguarded: number[] = []
  readonly #textList: (readonly [name: string, index: { readonly values: ValueIndex; readonly untexted: number[] }])[]

  /** Number of the match in which a rule was last decided. */
  readonly #decidedIn: Int32Array
  #match = 0
  #evaluation: Evaluation | undefined
  #outcome: Growing<Id> | undefined
  /** Rules that matched so far; in a buffer, because most of the time would go into lists that grow. */
  readonly #matched: Int32Array
  #matchedCount = 0

  constructor(entries: Iterable<RuleSetEntry<Id>>) {
    const root = new PathIndex()
    const planned = [...entries].map(entry => ({
      entry,
      conjuncts: entry.filter ? conjunctsOf(entry.filter.clause) : [],
    }))
    const shared = new SharedGuards(planned.map(({ conjuncts }) => conjuncts))
    for (const { entry, conjuncts } of planned) this.#add(entry, conjuncts, rarest(conjuncts, shared.shareOf), root)
    root.build()
    for (const { values } of this.#texts.values()) values.build()
    this.#textList = [...this.#texts]
    this.#attributes = [...root.members()].filter(([name]) => name !== 'data')
    this.#data = root.members().get('data')
    this.#decidedIn = new Int32Array(this.#ids.length)
    this.#matched = new Int32Array(this.#ids.length)
  }

  get size(): number {
    return this.#ids.length
  }

  /** Decides all rules that need no JSONata. Never throws. */
  match(subject: FilterSubject): RuleSetMatch<Id> {
    const evaluation = new Evaluation(subject)
    const outcome: Growing<Id> = { failed: [], undecided: [] }
    this.#matchedCount = 0
    this.#evaluation = evaluation
    this.#outcome = outcome
    this.#conditions.begin()
    if (++this.#match === 0x7fffffff) {
      this.#match = 1
      this.#decidedIn.fill(0)
    }
    try {
      this.#lookUp(subject, evaluation)
      this.#found(this.#unguarded)
    } catch {
      // Nesting beyond the stack.
      evaluation.exhaust('the event is nested too deep')
    }
    if (evaluation.exhausted) this.#failTheRest(evaluation.exhausted)
    this.#evaluation = this.#outcome = undefined
    return { matched: this.#matchedIds(), ...outcome }
  }

  /** `match`, and `settle` where that leaves rules open: at once unless JSONata is asked. Never rejects. */
  decide(subject: FilterSubject, jsonata: JsonataEvaluator): RuleSetMatch<Id> | Promise<RuleSetMatch<Id>> {
    const match = this.match(subject)
    return match.undecided.length === 0 ? match : this.settle(match, subject, jsonata)
  }

  /** Decides the undecided rules of a match of the same subject, all at once. Never rejects. */
  async settle(
    { matched, failed, undecided }: RuleSetMatch<Id>,
    subject: FilterSubject,
    jsonata: JsonataEvaluator,
  ): Promise<RuleSetMatch<Id>> {
    const open = new Set(undecided)
    const outcome = { matched: [...matched], failed: [...failed], undecided: [] }
    const filters = this.#filters.map((filter, rule) => ({ id: this.#ids[rule] as Id, filter }))
    const decisions = filters
      .filter(({ id }) => open.has(id))
      .map(async ({ id, filter }) => ({ id, ...(await (filter as CompiledFilter).decide(subject, jsonata)) }))
    for (const { id, matched: passed, error } of await Promise.all(decisions)) {
      if (passed) outcome.matched.push(id)
      else if (error) outcome.failed.push({ id, error })
    }
    return outcome
  }

  #add(
    { id, filter }: RuleSetEntry<Id>,
    conjuncts: readonly Conjunct[],
    guarded: Conjunct | undefined,
    root: PathIndex,
  ): void {
    const rule = this.#ids.push(id) - 1
    const others = conjuncts.filter(conjunct => conjunct !== guarded)
    const conditions = others.flatMap(({ condition }) => condition ?? [])
    this.#filters.push(filter)
    this.#checks.push(undefined)
    this.#later.push(filter?.needsJsonata ?? false)
    const [first = -1, ...more] = conditions.map(condition => this.#conditions.add(condition))
    this.#firstConditions.push(first)
    this.#otherConditions.push(more)
    this.#sufficient.push(
      filter === undefined || (guarded !== undefined && guarded.sufficient && conditions.length === others.length),
    )
    if (guarded?.guards === undefined) this.#unguarded.push(rule)
    else for (const guard of guarded.guards) this.#addGuard(guard, rule, root)
  }

  #addGuard(guard: Guard, rule: number, root: PathIndex): void {
    if (guard.kind === 'value') {
      root.add(guard.path, guard.test, rule)
      if (guard.path[0] === 'data') this.#dataGuarded.push(rule)
      return
    }
    let texts = this.#texts.get(guard.name)
    if (texts === undefined) this.#texts.set(guard.name, (texts = { values: new ValueIndex(), untexted: [] }))
    if (guard.kind === 'text') texts.values.add(guard.test, rule)
    else texts.untexted.push(rule)
  }

  #lookUp(subject: FilterSubject, evaluation: Evaluation): void {
    for (const [name, { values, untexted }] of this.#textList) {
      const value = subject.attribute(name)
      if (value !== undefined) values.find(textOf(value), evaluation, this.#found)
      if (typeof value !== 'string' && untexted.length > 0) this.#found(untexted)
    }
    for (const [name, index] of this.#attributes) {
      const value = subject.attribute(name)
      if (value !== undefined) index.find(value, evaluation, this.#found)
    }
    if (this.#data === undefined) return
    const data = evaluation.data()
    if (data !== undefined) this.#data.find(data, evaluation, this.#found)
    else if (evaluation.dataUnreadable) this.#askInFull(this.#dataGuarded)
  }

  /** Bound once: it is called for each list of rules that the index leads to. */
  readonly #found = (rules: readonly number[]): void => {
    const decidedIn = this.#decidedIn
    const match = this.#match
    const matched = this.#matched
    let matchedCount = this.#matchedCount
    const evaluation = this.#evaluation as Evaluation
    const firstConditions = this.#firstConditions
    const conditions = this.#conditions
    const sufficient = this.#sufficient
    for (let index = 0; index < rules.length; index++) {
      const rule = rules[index] as number
      if (decidedIn[rule] === match) continue
      decidedIn[rule] = match
      const condition = firstConditions[rule] as number
      if (condition >= 0 && !(conditions.holds(condition, evaluation) && this.#othersHold(rule, evaluation))) continue
      if (sufficient[rule] || this.#ask(rule)) matched[matchedCount++] = rule
    }
    this.#matchedCount = matchedCount
  }

  #othersHold(rule: number, evaluation: Evaluation): boolean {
    const others = this.#otherConditions[rule] as readonly number[]
    for (let index = 0; index < others.length; index++) {
      if (!this.#conditions.holds(others[index] as number, evaluation)) return false
    }
    return true
  }

  #askInFull(rules: readonly number[]): void {
    for (const rule of rules) {
      if (this.#decidedIn[rule] === this.#match) continue
      this.#decidedIn[rule] = this.#match
      if (this.#ask(rule)) this.#matched[this.#matchedCount++] = rule
    }
  }

  #ask(rule: number): boolean {
    const evaluation = this.#evaluation as Evaluation
    const outcome = this.#outcome as Growing<Id>
    if (this.#later[rule]) {
      outcome.undecided.push(this.#ids[rule] as Id)
      return false
    }
    evaluation.error = undefined
    const check = (this.#checks[rule] ??= compileClause((this.#filters[rule] as CompiledFilter).clause))
    const passed = check(evaluation)
    if (!passed && evaluation.error !== undefined) {
      outcome.failed.push({ id: this.#ids[rule] as Id, error: evaluation.error })
    }
    evaluation.error = undefined
    return passed
  }

  #matchedIds(): Id[] {
    const matched = this.#matched
    const ids = this.#ids
    const found = new Array<Id>(this.#matchedCount)
    for (let index = 0; index < found.length; index++) found[index] = ids[matched[index] as number] as Id
    return found
  }

  #failTheRest(error: EvaluationError): void {
    const { failed } = this.#outcome as Growing<Id>
    this.#decidedIn.forEach((match, rule) => {
      if (match !== this.#match) failed.push({ id: this.#ids[rule] as Id, error })
    })
  }
}
