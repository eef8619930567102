/** For tests of what takes events and filters in: broken ones from a seed, and the shared conformance data. */
export { brokenDefinition, brokenText, cesqlPieces, jsonataPieces } from '../filter/testing/broken-text.ts'
export { differencesOf, readKit, readSuiteFile, suiteIsThere, type CesqlCase } from '../filter/testing/conformance.ts'
export { randomFilter, type Next } from '../filter/testing/random-filters.ts'
export { mutate, seeded } from './mutate.ts'
