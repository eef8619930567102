import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deleteEntities } from '../rig/api.ts'
import { curlMissing, curlScript, type CurlAnswer } from '../rig/curl.ts'
import { repository } from '../rig/hub-process.ts'
import { openHubUnderTest, type HubUnderTest } from '../rig/hub-under-test.ts'

/**
 * The commands of the guides against a hub, as they stand on the page: each must be answered as the comment below it says.
 * The other examples of these pages are run by tests of the package `cloudevents`, which know every kind of block.
 */

const missing = await curlMissing()
let hub: HubUnderTest

beforeAll(async () => {
  if (missing === undefined) hub = await openHubUnderTest()
})
afterAll(async () => {
  await hub?.close()
})

describe.each(['filters', 'cloudevents'])('the guide to %s', name => {
  it('tells how its commands are answered', async context => {
    if (missing !== undefined) return context.skip(missing)
    const commands = commandsOf(name)
    const said = answersSaid(commands)
    expect(said.length).toBeGreaterThan(5)
    try {
      // The page knows neither this hub's address nor its key.
      const here = `AUTH='${hub.mine.auth}'\n${commands.replaceAll('http://127.0.0.1:3233', hub.url)}`
      expect((await curlScript(here)).map(given)).toEqual(said)
    } finally {
      await deleteEntities(hub.mine.api)
    }
  })
})

/** All blocks together, as somebody enters them one after the other. */
function commandsOf(guide: string): string {
  const page = readFileSync(join(repository, `docs/guides/${guide}.md`), 'utf8')
  return [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, text = '']) => text).join('\n')
}

/** Comments such as `# 202 {"activationId": "…"}`, which may go on for some indented lines; `…` stands for anything. */
function answersSaid(commands: string): { status: number; answer: unknown }[] {
  return [...commands.matchAll(/^# (\d{3}) (.*(?:\n# {3,}.*)*)$/gm)].map(([, status, text = '']) => ({
    status: Number(status),
    answer: likeness(text.replace(/\n# +/g, ' ')),
  }))
}

function likeness(text: string): unknown {
  if (!/^[[{]/.test(text)) return textLike(text)
  return JSON.parse(text, (_, value: unknown) => (typeof value === 'string' ? textLike(value) : value))
}

function textLike(text: string): unknown {
  if (!text.includes('…')) return text
  const pieces = text.split('…').map(piece => piece.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return expect.toSatisfy((value: unknown) => new RegExp(`^${pieces.join('[^]*')}$`).test(asText(value)))
}

function given({ status, text, body }: CurlAnswer): { status: number; answer: unknown } {
  return { status, answer: body ?? asText(text) }
}

/** A line, however the text is broken into lines. */
function asText(value: unknown): string {
  return (typeof value === 'string' ? value : JSON.stringify(value)).replace(/\s+/g, ' ').trim()
}
