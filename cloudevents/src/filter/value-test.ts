/** What one value can be asked: the leaves of the canonical form, into which all filter languages are translated. */
import { cidrContains, type Cidr } from './text/cidr.ts'
import type { Evaluation } from './evaluation.ts'
import { fold } from './text/fold.ts'
import { compileGlob, type Glob } from './text/glob.ts'

export type Scalar = string | number | boolean | null

export type ValueTest =
  | { readonly op: 'equals'; readonly value: Scalar }
  | { readonly op: 'prefix' | 'suffix' | 'equalsFolded' | 'prefixFolded' | 'suffixFolded'; readonly value: string }
  | { readonly op: 'glob'; readonly glob: Glob; readonly text: string }
  | {
      readonly op: 'range'
      readonly low: number
      readonly lowOpen: boolean
      readonly high: number
      readonly highOpen: boolean
    }
  | { readonly op: 'cidr'; readonly cidr: Cidr; readonly text: string }
  /** Any value but `undefined`. */
  | { readonly op: 'exists' }
  /** Any value that passes none of these. */
  | { readonly op: 'but'; readonly tests: readonly ValueTest[] }

/** Asks a JSON value that is no object, no array and not missing. */
export type CheckValue = (value: unknown, evaluation: Evaluation) => boolean

export function compileTest(test: ValueTest): CheckValue {
  switch (test.op) {
    case 'equals': {
      const { value: wanted } = test
      return value => value === wanted
    }
    case 'prefix': {
      const { value: wanted } = test
      return value => typeof value === 'string' && value.startsWith(wanted)
    }
    case 'suffix': {
      const { value: wanted } = test
      return value => typeof value === 'string' && value.endsWith(wanted)
    }
    case 'equalsFolded':
    case 'prefixFolded':
    case 'suffixFolded':
      return compileFolded(test.op, fold(test.value))
    case 'glob': {
      const matches = compileGlob(test.glob)
      return (value, evaluation) => typeof value === 'string' && evaluation.charge(value.length) && matches(value)
    }
    case 'range': {
      const { low, lowOpen, high, highOpen } = test
      return value =>
        typeof value === 'number' && (lowOpen ? value > low : value >= low) && (highOpen ? value < high : value <= high)
    }
    case 'cidr': {
      const { cidr } = test
      return value => typeof value === 'string' && cidrContains(cidr, value)
    }
    case 'exists':
      return () => true
    case 'but': {
      const excluded = compileTests(test.tests)
      return (value, evaluation) => !excluded(value, evaluation)
    }
  }
}

/** Whether at least one test is passed. */
export function compileTests(tests: readonly ValueTest[]): CheckValue {
  const equal = new Set<unknown>()
  const others: CheckValue[] = []
  for (const test of tests) {
    if (test.op === 'equals') equal.add(test.value)
    else others.push(compileTest(test))
  }
  const [only] = others
  if (others.length === 0) {
    if (equal.size > 1) return value => equal.has(value)
    const [wanted] = equal
    return value => value === wanted
  }
  if (only !== undefined && others.length === 1 && equal.size === 0) return only
  return (value, evaluation) => equal.has(value) || others.some(check => check(value, evaluation))
}

function compileFolded(op: 'equalsFolded' | 'prefixFolded' | 'suffixFolded', wanted: string): CheckValue {
  const compare =
    op === 'equalsFolded'
      ? (folded: string) => folded === wanted
      : op === 'prefixFolded'
        ? (folded: string) => folded.startsWith(wanted)
        : (folded: string) => folded.endsWith(wanted)
  return (value, evaluation) => typeof value === 'string' && evaluation.charge(value.length) && compare(fold(value))
}

/** One line for people: `begins with "a"`. */
export function describeTest(test: ValueTest): string {
  switch (test.op) {
    case 'equals':
      return `is ${JSON.stringify(test.value)}`
    case 'prefix':
      return `begins with ${JSON.stringify(test.value)}`
    case 'suffix':
      return `ends with ${JSON.stringify(test.value)}`
    case 'equalsFolded':
      return `is ${JSON.stringify(test.value)} in any case`
    case 'prefixFolded':
      return `begins with ${JSON.stringify(test.value)} in any case`
    case 'suffixFolded':
      return `ends with ${JSON.stringify(test.value)} in any case`
    case 'glob':
      return `is like ${JSON.stringify(test.text)}`
    case 'range':
      return describeRange(test)
    case 'cidr':
      return `is an address in ${test.text}`
    case 'exists':
      return 'exists'
    case 'but':
      return `is a value of which none holds: ${test.tests.map(describeTest).join(', ')}`
  }
}

function describeRange({ low, lowOpen, high, highOpen }: ValueTest & { op: 'range' }): string {
  const bounds = [
    ...(low === -Infinity ? [] : [`${lowOpen ? '>' : '>='} ${low}`]),
    ...(high === Infinity ? [] : [`${highOpen ? '<' : '<='} ${high}`]),
  ]
  return `is a number ${bounds.join(' and ')}`
}
