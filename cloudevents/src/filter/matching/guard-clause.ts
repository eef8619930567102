/** Guards of clauses of the canonical form. */
import type { Clause } from '../clause.ts'
import { fieldsOf, type PatternField, type PatternNode } from '../pattern/pattern.ts'
import { conjunctsOfExpression, isErrorFree } from './guard-cesql.ts'
import { oneOf, unguarded, union, type Conjunct, type Guard } from './guards.ts'

/** The parts of a clause that must all hold, as far as one can stand for the clause. */
export function conjunctsOf(clause: Clause): readonly Conjunct[] {
  switch (clause.kind) {
    case 'all':
      return conjunctsOfAll(clause.clauses)
    case 'any':
      return [union(clause.clauses.map(conjunctsOf))]
    case 'attribute': {
      const { name, test } = clause
      return [oneOf([{ kind: 'text', name, test }], { name, text: true, tests: [test] })]
    }
    case 'pattern': {
      const [only, ...more] = clause.pattern.alternatives
      if (only !== undefined && more.length === 0) return conjunctsOfAlternative(only)
      return [union(clause.pattern.alternatives.map(conjunctsOfAlternative))]
    }
    case 'cesql':
      return conjunctsOfExpression(clause.expression.root)
    default:
      return [unguarded]
  }
}

function conjunctsOfAlternative(root: PatternNode): Conjunct[] {
  return fieldsOf(root).map(conjunctOfField)
}

function conjunctOfField({ path, keys, tests, orAbsent }: PatternField): Conjunct {
  // Events may have a name with dots in two ways.
  if (orAbsent || keys.length !== path.length) return unguarded
  const guards = tests.map((test): Guard => ({ kind: 'value', path, test }))
  const [name = ''] = path
  return oneOf(guards, path.length === 1 && name !== 'data' ? { name, text: false, tests } : undefined)
}

/** Errors are reported in the order of the clauses: behind one that may fail no other can stand in for it. */
function conjunctsOfAll(clauses: readonly Clause[]): Conjunct[] {
  const failing = clauses.findIndex(clause => !cannotFail(clause))
  if (failing < 0) return clauses.flatMap(conjunctsOf)
  const rest = failing === clauses.length - 1 ? [] : [unguarded]
  return [...clauses.slice(0, failing + 1).flatMap(conjunctsOf), ...rest]
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
