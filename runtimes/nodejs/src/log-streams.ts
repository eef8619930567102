import { writeSync } from 'node:fs'

const sentinel = 'XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n'

/** The container's stdout and stderr, which carry the action's log and a sentinel after each activation (§1.5). */
export type LogStreams = {
  /** Ends `count` activations: that many sentinels on each stream, after all output so far. */
  mark(count: number): void
  /** A line of the runtime's own on stderr. */
  error(text: string): void
}

/**
 * Takes over both streams of the process. From then on writes block until the reader has taken them: nothing is lost
 * when user code exits, a flood is slowed down instead of filling the heap, and a sentinel needs no flush before it.
 */
export function openLogStreams(): LogStreams {
  const streams = [track(process.stdout, 1), track(process.stderr, 2)]
  return {
    mark: count => streams.forEach(stream => stream.mark(count)),
    error: text => void process.stderr.write(`${text}\n`),
  }
}

type Write = (chunk: string | Uint8Array, ...rest: unknown[]) => boolean

/** Watches what is written, to know whether a sentinel would begin in the middle of a line. */
function track(stream: NodeJS.WriteStream, fd: number): { mark(count: number): void } {
  // A pipe's handle; files and terminals have none and are synchronous anyway.
  const handle = (stream as { _handle?: { setBlocking?: (blocking: boolean) => void } })._handle
  handle?.setBlocking?.(true)
  const write = stream.write.bind(stream) as Write
  let atLineStart = true
  stream.write = (chunk, ...rest) => {
    if (chunk.length > 0) atLineStart = endsLine(chunk, rest[0])
    return write(chunk, ...rest)
  }
  return {
    mark(count) {
      const text = (atLineStart ? '' : '\n') + sentinel.repeat(count)
      atLineStart = true
      if (stream.writableLength > 0 || !writeAll(fd, text)) write(text)
    },
  }
}

function endsLine(chunk: string | Uint8Array, encoding: unknown): boolean {
  if (typeof chunk !== 'string') return chunk[chunk.length - 1] === 0x0a
  if (encoding === 'hex' || encoding === 'base64' || encoding === 'base64url') {
    return Buffer.from(chunk, encoding).at(-1) === 0x0a
  }
  return chunk.endsWith('\n')
}

/** Writes below the stream, which user code may have ended; false if nothing was written and the stream has to do it. */
function writeAll(fd: number, text: string): boolean {
  try {
    for (let rest = Buffer.from(text); rest.length > 0;) rest = rest.subarray(writeSync(fd, rest))
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EAGAIN' // else the reader is gone: nobody to tell
  }
}
