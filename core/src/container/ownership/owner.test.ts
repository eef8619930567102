import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fateOf, ownerNote } from './owner.ts'

const here = ownerNote() !== undefined

function sleeper(command = 'exec sleep 60'): ChildProcess {
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'ignore'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** The note with one of its parts replaced: 0 machine, 1 boot, 2 pid namespace, 3 pid, 4 start. */
function changed(note: string, part: number, value: string): string {
  return note.split(':').with(part, value).join(':')
}

describe('the note of an owner', () => {
  it('tells that a process lives, and that it has ended', async context => {
    context.skip(!here, 'needs /proc')
    const child = sleeper()
    const note = ownerNote(child.pid) ?? ''
    expect([fateOf(note), fateOf(ownerNote() ?? '')]).toEqual(['lives', 'lives'])
    child.kill('SIGKILL')
    await new Promise(resolve => child.once('exit', resolve))
    expect(fateOf(note)).toBe('ended')
  })

  it('tells a process from a later one with the same number', context => {
    context.skip(!here, 'needs /proc')
    const note = ownerNote(sleeper().pid) ?? ''
    expect(fateOf(changed(note, 4, '1'))).toBe('ended')
  })

  it('takes one for ended that nobody has waited for', async context => {
    context.skip(!here, 'needs /proc')
    // A shell that becomes a program without children of its own never waits for the one it had.
    const parent = sleeper('sleep 60 & echo $!; exec sleep 60')
    const pid = Number(await new Promise<Buffer>(resolve => parent.stdout?.once('data', resolve)))
    const note = ownerNote(pid) ?? ''
    await expect.poll(() => fateOf(note)).toBe('lives')
    await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n')
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => fateOf(note)).toBe('ended')
    expect(() => process.kill(pid, 0)).not.toThrow()
  })

  it('judges none that it cannot see: in another pid namespace, on another machine, without a note', context => {
    context.skip(!here, 'needs /proc')
    const note = ownerNote() ?? ''
    const boot = '00000000-0000-4000-8000-000000000000'
    const [machine] = note.split(':')
    expect(fateOf(changed(note, 2, '1'))).toBe('unknown')
    expect(fateOf(changed(changed(note, 0, 'f'.repeat(16)), 1, boot))).toBe('unknown')
    // In a container there may be no id of the machine, and then none is like another.
    expect(fateOf(changed(changed(note, 0, '-'), 1, boot))).toBe('unknown')
    expect(fateOf(changed(note, 1, boot))).toBe(machine === '-' ? 'unknown' : 'before')
    for (const text of ['', 'a', `${note} `, `${note}:1`, changed(note, 3, '-1')]) expect(fateOf(text)).toBe('unknown')
  })
})
