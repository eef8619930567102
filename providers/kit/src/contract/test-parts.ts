import { createHash } from 'node:crypto'
import { SluiceError } from '@sluice/core/model'
import type { KeyRing, Logger } from '@sluice/core/spi'

/** Looks like encryption and forgets nothing: for tests only. A text opens only with its own `bind`. */
export function testKeyRing(): KeyRing {
  const tag = (plain: string, bind: string) => createHash('sha256').update(`${bind}|${plain}`).digest('hex').slice(0, 8)
  return {
    encrypt: (plain, bind) => `${Buffer.from(plain).toString('base64url')}.${tag(plain, bind)}`,
    decrypt(text, bind) {
      const [sealed = '', given] = text.split('.')
      const plain = Buffer.from(sealed, 'base64url').toString()
      if (tag(plain, bind) !== given) throw new SluiceError('SLUICE_SECRET_UNREADABLE', 'it belongs elsewhere')
      return plain
    },
    hash: secret => createHash('sha256').update(secret).digest('hex'),
    matches: (secret, hash) => createHash('sha256').update(secret).digest('hex') === hash,
  }
}

/** Keeps every line as JSON text, so that a test can look for what must not be there. */
export function testLog(): Logger & { readonly lines: string[] } {
  const lines: string[] = []
  const write = (level: string) => (fields: object, message: string) => {
    const plain = Object.entries(fields).map(([key, value]) => [
      key,
      value instanceof Error ? `${value.stack} ${String(value.cause)}` : (value as unknown),
    ])
    lines.push(JSON.stringify({ level, message, ...Object.fromEntries(plain) }))
  }
  const log: Logger & { lines: string[] } = {
    lines,
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    child: () => log,
  }
  return log
}
