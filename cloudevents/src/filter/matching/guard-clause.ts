/**
 * Guards: tests of single values of which at least one must hold when a filter matches. A set of rules is indexed by them, so
 * that a rule is looked at only when one of its guards holds.
 */
import type { Clause } from '../clause.ts'
import { fieldsOf, type PatternField, type PatternNode } from '../pattern/pattern.ts'
import { guardExpression, isErrorFree } from './guard-cesql.ts'
import { best, one, union, type Guards } from './guards.ts'

/** The best guards of a clause, or nothing when an event could match without any. */
export function guardsOf(clause: Clause): Guards | undefined {
  switch (clause.kind) {
    case 'all':
      return guardsOfAll(clause.clauses)
    case 'any':
      return union(clause.clauses.map(guardsOf))
    case 'attribute':
      return one({ kind: 'text', name: clause.name, test: clause.test })
    case 'pattern':
      return union(clause.pattern.alternatives.map(guardsOfAlternative))
    case 'cesql':
      return guardExpression(clause.expression.root)
    default:
      return undefined
  }
}

function guardsOfAlternative(root: PatternNode): Guards | undefined {
  const fields = fieldsOf(root)
  return best(fields.map(guardsOfField), fields.length === 1)
}

function guardsOfField({ path, keys, tests, orAbsent }: PatternField): Guards | undefined {
  // Events may have a name with dots in two ways.
  if (orAbsent || keys.length !== path.length) return undefined
  return union(tests.map(test => one({ kind: 'value', path, test })))
}

/** Errors are reported in the order of the clauses: behind one that may fail no other can stand in for it. */
function guardsOfAll(clauses: readonly Clause[]): Guards | undefined {
  const failing = clauses.findIndex(clause => !cannotFail(clause))
  const first = failing < 0 ? clauses : clauses.slice(0, failing + 1)
  return best(first.map(guardsOf), clauses.length === 1)
}

/** JSONata is asked last, and rules that read data that cannot be read are looked at in any case. */
function cannotFail(clause: Clause): boolean {
  switch (clause.kind) {
    case 'all':
    case 'any':
      return clause.clauses.every(cannotFail)
    case 'not':
      return cannotFail(clause.clause)
    case 'cesql':
      return isErrorFree(clause.expression.root)
    default:
      return true
  }
}
