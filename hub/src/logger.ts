import pino from 'pino'
import type { Config } from '@sluice/core/config'
import type { Logger } from '@sluice/core/spi'
import type { Screen } from './screen.ts'

/** Fields that hold secrets or payloads: never written, wherever somebody puts them by mistake. */
const redact = {
  paths: [
    'key',
    'auth',
    'authkey',
    'authorization',
    'apiKey',
    'password',
    'secret',
    'payload',
    'parameters',
    'params',
    'content',
    'body',
  ]
    .flatMap(name => [name, `*.${name}`])
    .concat(['headers.authorization', 'headers.cookie', '*.headers.authorization', '*.headers.cookie']),
  censor: '***',
}

/**
 * The hub's log: JSON lines on stderr, because stdout shows the events. On a terminal only warnings and errors, unless a
 * level is configured. Lines are written at once: the last one before an end is the one that matters.
 */
export function createLog(level: Config['log']['level'], err: Screen): Logger {
  return pino(
    {
      level: level ?? (err.isTTY ? 'warn' : 'info'),
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      serializers: { err: pino.stdSerializers.err },
      redact,
    },
    { write: line => void err.write(line) },
  )
}
