/** The canonical form: what every filter language is compiled to. */
import type { CesqlExpression } from './cesql/cesql.ts'
import type { Pattern } from './pattern/pattern.ts'
import type { ValueTest } from './value-test.ts'

export type FilterLanguage =
  'cesql' | 'pattern' | 'exact' | 'prefix' | 'suffix' | 'all' | 'any' | 'not' | 'sql' | 'jsonata'

/** Where the filter that a clause comes from stands in the definition (JSON pointer), its language, and
 *  what was written: an expression, or the JSON of the filter. */
type Origin = { readonly at: string; readonly language: FilterLanguage; readonly definition: unknown }

export type Clause =
  | (Origin & { readonly kind: 'all' | 'any'; readonly clauses: readonly Clause[] })
  | (Origin & { readonly kind: 'not'; readonly clause: Clause })
  /** The attribute as text passes the test; a missing one does not. */
  | (Origin & { readonly kind: 'attribute'; readonly name: string; readonly test: ValueTest })
  | (Origin & { readonly kind: 'pattern'; readonly pattern: Pattern })
  /** Gives TRUE, without an error. */
  | (Origin & { readonly kind: 'cesql'; readonly expression: CesqlExpression })
  /** Decided elsewhere, later. */
  | (Origin & { readonly kind: 'jsonata'; readonly expression: string })

/** The clauses directly inside of a clause. */
export function clausesIn(clause: Clause): readonly Clause[] {
  if (clause.kind === 'all' || clause.kind === 'any') return clause.clauses
  return clause.kind === 'not' ? [clause.clause] : []
}
