/** Bounds of the filter languages. A definition beyond them is refused when it is compiled, with the place. */
export const filterLimits = {
  /** Characters (UTF-16 units) of one CESQL expression. */
  cesqlLengthMax: 64 * 1024,
  /** Brackets, signs and calls around one another in CESQL. */
  cesqlDepthMax: 200,
  /** Operators around or behind one another: `a AND b AND c` counts twice. IN takes longer lists. */
  cesqlLevelsMax: 500,
  /** Operators, literals, identifiers and calls of one expression. */
  cesqlNodesMax: 5_000,
  /** Characters of one LIKE or wildcard pattern. */
  globLengthMax: 4096,
  /** Characters between two `%` of which one is `_`: these are compared 32 at a time. */
  globHolePieceMax: 512,
  /** `all`, `any`, `not` around one another. */
  clauseDepthMax: 64,
  /** Clauses of one filter. */
  clausesMax: 10_000,
  /** Objects around one another in an EventBridge pattern. */
  patternDepthMax: 100,
  /** Alternatives that `$or` multiplies out to. */
  patternAlternativesMax: 1000,
  /** Fields over all alternatives, and values over all fields. */
  patternValuesMax: 50_000,
  jsonataLengthMax: 16 * 1024,
  /** Evaluation, by the child's own processor time. */
  jsonataEvaluationMs: 5,
  /** Then the child is ended: a long built-in or a busy machine got this much more. */
  jsonataAnswerMs: 250,
  jsonataStartMs: 10_000,
  /** JSON text of the input, and of the result. */
  jsonataBytesMax: 4 * 1024 * 1024,
  /** Nesting of input and result. */
  jsonataDepthMax: 100,
  /** Steps of the evaluation around one another. */
  jsonataStackMax: 200,
  /** Items of one sequence. */
  jsonataSequenceMax: 100_000,
  jsonataMemoryMb: 64,
  /** Evaluations that wait for their turn. */
  jsonataQueueMax: 10_000,
  /** An expression that ended its process is not asked for so long, twice as long after each further time. */
  jsonataPauseMs: 250,
  jsonataPauseMsMax: 60_000,
  /** Such expressions are remembered up to this number. */
  jsonataSuspectsMax: 10_000,
  /** Compiled expressions that the child keeps. */
  jsonataCacheMax: 500,
  /** Characters that the filters of one match may look at or make beyond the first `longText` of each operation; then the
   *  rest of the rules fail with a generic error. Some 0.1 s. */
  workMax: 16 * 1024 * 1024,
  /** Operations on shorter texts are not counted. */
  longText: 1024,
} as const
