import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeOwnedDirectory, removeAbandonedDirectories } from './owned-directories.ts'
import { ownerNote } from './owner.ts'

const name = (letter: string): string => `sluice-d-${letter.repeat(12)}-`

async function scratch(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'sluice-test-'))
  onTestFinished(() => rm(parent, { recursive: true }))
  return parent
}

describe('directories with a note of their owner', () => {
  it('[rel:R1] go when its process is gone, and not before; those without one or not ours stay', async context => {
    context.skip(ownerNote() === undefined, 'needs /proc')
    const parent = await scratch()
    const child = spawn('sleep', ['60'])
    onTestFinished(() => void child.kill('SIGKILL'))
    const note = ownerNote(child.pid)
    const [left, empty] = [await makeOwnedDirectory(join(parent, name('a')), note), join(parent, `${name('b')}abcdef`)]
    await mkdir(empty)
    await writeFile(join(left, 'file'), '')
    const own = await makeOwnedDirectory(join(parent, name('c')), ownerNote())
    const foreign = await makeOwnedDirectory(join(parent, 'something-else-'), note)
    await symlink(foreign, join(parent, `${name('d')}abcdef`))
    expect(await removeAbandonedDirectories([parent, parent])).toBe(0)
    child.kill('SIGKILL')
    await new Promise(resolve => child.once('exit', resolve))
    expect(await removeAbandonedDirectories([parent, parent])).toBe(1)
    const stays = [empty, own, foreign, `${name('d')}abcdef`].map(path => basename(path))
    expect((await readdir(parent)).sort()).toEqual(stays.sort())
  })

  it('are left to others where the system tells nothing of processes', async () => {
    const parent = await scratch()
    await makeOwnedDirectory(join(parent, name('a')), undefined)
    expect(await removeAbandonedDirectories([parent])).toBe(0)
    expect(await removeAbandonedDirectories([join(parent, 'missing')])).toBe(0)
  })
})
