/** Broken events and filters from a seed, for tests of what takes them in. */
export { brokenDefinition, brokenText, cesqlPieces, jsonataPieces } from '../filter/testing/broken-text.ts'
export { randomFilter, type Next } from '../filter/testing/random-filters.ts'
export { mutate, seeded } from './mutate.ts'
