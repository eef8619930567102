import type { ContainerFactory } from '@sluice/core/spi'

/** Uses the first factory for the kinds that it supports and for images of users, the second for all others. */
export function eitherFactory(first: ContainerFactory, second: ContainerFactory): ContainerFactory {
  return {
    get capabilities() {
      // Each says by rejecting that it cannot; the pool asks before it tries.
      const pause = first.capabilities.pause && second.capabilities.pause
      return { pause, isolation: 'process' as const }
    },
    supports: kind => first.supports(kind) || second.supports(kind),
    create(spec, signal, begins) {
      const here = spec.userImage === true || first.supports(spec.kind)
      return (here ? first : second).create(spec, signal, begins)
    },
    async list(labels) {
      return (await Promise.all([first.list(labels), second.list(labels)])).flat()
    },
    async cleanup() {
      const [a, b] = await Promise.all([first.cleanup(), second.cleanup()])
      return a + b
    },
    async close() {
      await Promise.all([first.close(), second.close()])
    },
  }
}
