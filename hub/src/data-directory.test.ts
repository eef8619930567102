import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { onceMark, openDataDirectory, openPrivateFolder } from './data-directory.ts'

it('creates the folder for its owner alone', () => {
  const directory = openDataDirectory(join(scratch(), 'deep', 'data'))
  expect(statSync(directory.path).mode & 0o777).toBe(0o700)
  expect(directory.file('x')).toBe(join(directory.path, 'x'))
})

it('[sec:S14] [sec:S20] keeps its folders for their owner, also in a directory that others may read', () => {
  const path = join(scratch(), 'data')
  mkdirSync(path)
  chmodSync(path, 0o755)
  const modeOf = (folder: string) => statSync(folder).mode & 0o777
  const directory = openDataDirectory(path)
  expect(modeOf(openPrivateFolder(directory, 'db'))).toBe(0o700)
  chmodSync(directory.file('db'), 0o755)
  expect(modeOf(openPrivateFolder(directory, 'db'))).toBe(0o700)
  expect(modeOf(path)).toBe(0o755)
})

it('says in one line that a path cannot be a data directory', () => {
  const file = join(scratch(), 'file')
  writeFileSync(file, '')
  for (const path of [file, join(file, 'below'), '/proc/sluice']) {
    let error: unknown
    try {
      openDataDirectory(path)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'SLUICE_DATA_DIR' })
    expect((error as Error).message).toMatch(/^The data directory \S+ cannot be written \(E\w+\)\. .*--data-dir\.$/)
  }
})

it('remembers what was done once', () => {
  const directory = openDataDirectory(scratch())
  const mark = onceMark(directory, 'samples')
  expect(mark.done).toBe(false)
  mark.mark()
  mark.mark()
  expect(onceMark(directory, 'samples').done).toBe(true)
  expect(onceMark(directory, 'other').done).toBe(false)
})

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-data-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}
