import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemRandom } from '@sluice/core/spi'
import { openDataDirectory } from './data-directory.ts'
import { openSecrets } from './secrets.ts'

describe('openSecrets', () => {
  it('draws keys of the form uuid:64 characters at the first start, in files nobody else may read', () => {
    const directory = openDataDirectory(join(scratch(), 'data'))
    const { credentials, drawn } = openSecrets(directory, {}, systemRandom)
    expect(drawn).toBe(true)
    expect(credentials.guest).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[A-Za-z0-9]{64}$/)
    expect(credentials.system).not.toBe(credentials.guest)
    expect(modeOf(directory.path)).toBe(0o700)
    expect(modeOf(directory.file('keys.json'))).toBe(0o600)
    expect(modeOf(directory.file('master-key'))).toBe(0o600)
  })

  it('keeps them over restarts', () => {
    const directory = openDataDirectory(scratch())
    const first = openSecrets(directory, {}, systemRandom)
    const again = openSecrets(directory, {}, systemRandom)
    expect(again.drawn).toBe(false)
    expect(again.credentials).toEqual(first.credentials)
    expect(again.keyRing.decrypt(first.keyRing.encrypt('x', 'b'), 'b')).toBe('x')
  })

  it('never uses the well-known key of OpenWhisk', () => {
    const { credentials } = openSecrets(openDataDirectory(scratch()), {}, systemRandom)
    expect(JSON.stringify(credentials)).not.toContain('23bc46b1-71f6-4ed5-8c54-816aa4f8c502')
  })

  it('takes a master key from the configuration, then keeps none on disk', () => {
    const directory = openDataDirectory(scratch())
    openSecrets(directory, { masterKey: 'ab'.repeat(32) }, systemRandom)
    expect(existsSync(directory.file('master-key'))).toBe(false)
    expect(codeOf(() => openSecrets(directory, { masterKey: 'cd'.repeat(32) }, systemRandom))).toBe(
      'SLUICE_SECRET_UNREADABLE',
    )
  })

  it('does not draw a second master key when the first one got lost', () => {
    const directory = openDataDirectory(scratch())
    openSecrets(directory, {}, systemRandom)
    unlinkSync(directory.file('master-key'))
    expect(codeOf(() => openSecrets(directory, {}, systemRandom))).toBe('SLUICE_SECRET_UNREADABLE')
    expect(existsSync(directory.file('master-key'))).toBe(false)
  })

  it('accepts a new master key when the old one stands after it', () => {
    const directory = openDataDirectory(scratch())
    const before = openSecrets(directory, {}, systemRandom)
    const file = directory.file('master-key')
    writeFileSync(file, `${'ef'.repeat(32)}\n${readFileSync(file, 'utf8')}`)
    const after = openSecrets(directory, {}, systemRandom)
    expect(after.keyRing.decrypt(before.keyRing.encrypt('x', 'b'), 'b')).toBe('x')
  })

  it('refuses key files that others may read, and files that hold no keys', () => {
    const folder = scratch()
    const directory = openDataDirectory(folder)
    const keyFile = join(folder, 'mine')
    writeFileSync(keyFile, `${'ab'.repeat(32)}\n`, { mode: 0o600 })
    chmodSync(keyFile, 0o644)
    expect(codeOf(() => openSecrets(directory, { keyFile }, systemRandom))).toBe('SLUICE_CONFIG')
    chmodSync(keyFile, 0o600)
    writeFileSync(keyFile, 'not hex\n')
    expect(codeOf(() => openSecrets(directory, { keyFile }, systemRandom))).toBe('SLUICE_CONFIG')
    expect(codeOf(() => openSecrets(directory, { keyFile: join(folder, 'none') }, systemRandom))).toBe('SLUICE_CONFIG')
  })

  it('says that a damaged file is damaged without repeating what is in it', () => {
    const directory = openDataDirectory(scratch())
    openSecrets(directory, {}, systemRandom)
    writeFileSync(directory.file('keys.json'), '{"guest": "hunter2')
    let message = ''
    try {
      openSecrets(directory, {}, systemRandom)
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).toContain('keys.json is damaged')
    expect(message).not.toContain('hunter2')
  })
})

function codeOf(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return (error as { code?: unknown }).code ?? error
  }
  return 'nothing was thrown'
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777
}

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-secrets-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}
