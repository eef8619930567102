import { describe, expect, it } from 'vitest'
import { familyMembers } from './process-family.ts'
import { shareLists, type ProcessInfo, type ProcessTable } from './process-table.ts'

function row(pid: number, parent: number, group = pid, marker?: string, started = 't'): ProcessInfo {
  return { pid, parent, group, started, marker }
}
const pidsOf = (members: ProcessInfo[]) => members.map(({ pid }) => pid).sort((a, b) => a - b)

describe('familyMembers', () => {
  const hub = row(process.pid, 1)
  const stranger = row(90, 1)

  it('has the leader, its group, those with the marker, and all their descendants', () => {
    const processes = [
      row(16, 15),
      row(15, 11),
      row(10, process.pid),
      row(11, 10, 10),
      row(12, 1, 10),
      row(13, 1, 13, 'ours'),
      row(14, 13),
      stranger,
      hub,
    ]
    expect(pidsOf(familyMembers(processes, { marker: 'ours', leader: 10 }))).toEqual([10, 11, 12, 13, 14, 15, 16])
  })

  it('has nobody of another container', () => {
    const processes = [row(10, process.pid, 10, 'ours'), row(20, process.pid, 20, 'ours-too'), row(21, 20), hub]
    expect(pidsOf(familyMembers(processes, { marker: 'ours', leader: 10 }))).toEqual([10])
  })

  it('does not trust the number of a leader that is gone', () => {
    expect(familyMembers([row(10, 1), row(11, 1, 10)], { marker: 'ours', leader: undefined })).toEqual([])
  })

  it('keeps members found earlier, unless the number is another process now', () => {
    const known = new Map([
      [30, 'then'],
      [31, 'then'],
    ])
    const processes = [row(30, 1, 30, undefined, 'then'), row(31, 1, 31, undefined, 'later'), hub]
    expect(pidsOf(familyMembers(processes, { marker: 'ours', leader: undefined, known }))).toEqual([30])
  })

  it('never has the hub or the first process of the system, whatever the table says', () => {
    const processes = [row(1, 0, 10, 'ours'), row(process.pid, 10, 10, 'ours'), row(10, process.pid)]
    expect(pidsOf(familyMembers(processes, { marker: 'ours', leader: 10 }))).toEqual([10])
  })
})

describe('shareLists', () => {
  it('never answers with a look that began before the question, and shares the next one', async () => {
    const looks: ((processes: ProcessInfo[]) => void)[] = []
    const slow = { list: () => new Promise(resolve => looks.push(resolve)) } as ProcessTable
    const { list } = shareLists(slow)
    const [first, second, third] = [list(), list(), list()]
    expect(looks).toHaveLength(1)
    looks[0]?.([row(1, 0)])
    expect(pidsOf(await first)).toEqual([1])
    expect(looks).toHaveLength(2)
    looks[1]?.([row(2, 0)])
    expect([pidsOf(await second), pidsOf(await third)]).toEqual([[2], [2]])
    void list()
    expect(looks).toHaveLength(3)
  })
})
