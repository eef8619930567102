export * from './container-factory.ts'
export * from './manual-clock.ts'
