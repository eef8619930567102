import { expect, it } from 'vitest'
import { OutputFrames } from './output-frames.ts'

function frame(stream: number, text: string): Buffer {
  const body = Buffer.from(text)
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(body.length, 4)
  return Buffer.concat([header, body])
}

function taken(chunks: readonly Buffer[]): { stdout: string; stderr: string } {
  const parts = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  const frames = new OutputFrames((stream, part) => void parts[stream].push(Buffer.from(part)))
  for (const chunk of chunks) frames.push(chunk)
  return { stdout: Buffer.concat(parts.stdout).toString(), stderr: Buffer.concat(parts.stderr).toString() }
}

it('takes the streams apart however the bytes are chunked', () => {
  const all = Buffer.concat([frame(1, 'one\n'), frame(2, 'zwei \u00fc\n'), frame(1, ''), frame(1, 'x'.repeat(300))])
  const whole = taken([all])
  expect(whole).toEqual({ stdout: `one\n${'x'.repeat(300)}`, stderr: 'zwei \u00fc\n' })
  for (let size = 1; size < 40; size++) {
    const chunks = Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
      all.subarray(i * size, (i + 1) * size),
    )
    expect(taken(chunks)).toEqual(whole)
  }
})

it('hands the parts of a long frame on as they come', () => {
  const parts: number[] = []
  const frames = new OutputFrames((_stream, part) => void parts.push(part.length))
  const all = frame(1, 'x'.repeat(1000))
  frames.push(all.subarray(0, 508))
  expect(parts).toEqual([500])
  frames.push(all.subarray(508))
  expect(parts).toEqual([500, 500])
})
