import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { writeWskprops } from './wskprops.ts'

const hub = { apiHost: 'http://127.0.0.1:3233', auth: 'uuid:key' }

describe('writeWskprops', () => {
  it('writes API host and key to ~/.wskprops for its owner alone', () => {
    const home = scratch()
    expect(writeWskprops({ ...hub, env: { HOME: home } }).written).toBe(true)
    expect(readFileSync(join(home, '.wskprops'), 'utf8')).toBe('APIHOST=http://127.0.0.1:3233\nAUTH=uuid:key\n')
    expect(statSync(join(home, '.wskprops')).mode & 0o777).toBe(0o600)
  })

  it('prefers the file that OpenWhisk clients are told to use', () => {
    const home = scratch()
    const file = join(home, 'props')
    writeWskprops({ ...hub, env: { HOME: home, WSK_CONFIG_FILE: file } })
    expect(existsSync(file)).toBe(true)
    expect(existsSync(join(home, '.wskprops'))).toBe(false)
  })

  it('replaces an earlier local hub and keeps the other lines', () => {
    const home = scratch()
    writeFileSync(join(home, '.wskprops'), 'NAMESPACE=guest\nAPIHOST=localhost:3000\nAUTH=old\n')
    const { written, text } = writeWskprops({ ...hub, env: { HOME: home } })
    expect(written).toBe(true)
    expect(text).toContain('NAMESPACE')
    expect(readFileSync(join(home, '.wskprops'), 'utf8')).toBe(
      'APIHOST=http://127.0.0.1:3233\nAUTH=uuid:key\nNAMESPACE=guest\n',
    )
  })

  it('leaves access to somebody else alone, unless the file was named', () => {
    const home = scratch()
    const path = join(home, '.wskprops')
    writeFileSync(path, 'APIHOST=https://openwhisk.example\nAUTH=theirs\n')
    expect(writeWskprops({ ...hub, env: { HOME: home } })).toMatchObject({ written: false })
    expect(readFileSync(path, 'utf8')).toContain('theirs')
    expect(writeWskprops({ ...hub, path, env: { HOME: home } }).written).toBe(true)
    expect(readFileSync(path, 'utf8')).not.toContain('theirs')
  })

  it('says why when it cannot write', () => {
    const { written, text } = writeWskprops({ ...hub, path: '/nowhere/props', env: {} })
    expect(written).toBe(false)
    expect(text).toContain('/nowhere/props could not be written')
  })
})

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-wskprops-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}
