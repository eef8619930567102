import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** The hub as it is met by hand: by the program curl, in a shell. */
export type CurlAnswer = { readonly status: number; readonly text: string; readonly body: any }

/** Why what needs curl cannot run here; nothing: it can. */
export async function curlMissing(): Promise<string | undefined> {
  return shell('command -v curl').then(
    () => undefined,
    () => 'needs curl: it is not installed',
  )
}

/** What a command prints on stdout. Rejects when it ends with another code than 0, or not within 20 s. */
export async function shell(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-e', '-c', command], { timeout: 20_000 })
  return stdout
}

/** One call of curl, without a shell in between. Rejects when there is no answer. */
export async function curl(...args: string[]): Promise<CurlAnswer> {
  const { stdout } = await promisify(execFile)('curl', ['-sS', '-w', statusLine, ...args], { timeout: 20_000 })
  const [answer] = answersIn(stdout)
  if (answer === undefined) throw new Error(`curl printed no status:\n${stdout}`)
  return answer
}

/** Runs a script as it stands, and gives the answer of each curl in it, in order. */
export async function curlScript(script: string): Promise<CurlAnswer[]> {
  return answersIn(await shell(`curl() { command curl -sS -w '${statusLine}' "$@"; }\n${script}`))
}

/** Ends each answer; curl itself turns `\n` into a line break. */
const mark = 'answered with status'
const statusLine = `\\n${mark} %{http_code}\\n`

function answersIn(printed: string): CurlAnswer[] {
  const ends = new RegExp(`([^]*?)\\n${mark} (\\d+)\\n`, 'g')
  return [...printed.matchAll(ends)].map(([, text = '', status]) => ({
    status: Number(status),
    text,
    body: parsed(text),
  }))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
