import { execFile } from 'node:child_process'
import { bounds } from '../../model/index.ts'

/** Rules of this machine that keep containers from the machine itself (reliability.md §5.2). */
export type Firewall = {
  /** Drops new flows from a bridge to this machine, except to `door`, and to `denied` ranges beyond it. */
  guard(bridge: string, door: { host: string; port: number } | undefined, denied: readonly string[]): Promise<void>
  /** Takes the rules of a bridge away, whichever hub made them. */
  unguard(bridge: string): Promise<void>
  /** Takes this hub's rules of all bridges away but those of `bridges`. */
  keepOnly(bridges: ReadonlySet<string>): Promise<void>
}

/** A rule as it is listed: `-A CHAIN …`, in words. */
type Rule = { readonly chain: string; readonly words: readonly string[] }

/** Chains that hold our rules: packets to this machine, and packets that it forwards (Docker leaves the latter to us). */
const chains = ['INPUT', 'DOCKER-USER'] as const

/**
 * Opens the machine's firewall. Resolves to nothing where it cannot be changed: no iptables, or no CAP_NET_ADMIN. `owner`
 * marks our rules, as an iptables comment: `sluice-`, then letters, digits and dashes.
 */
export async function openFirewall(owner: string): Promise<Firewall | undefined> {
  const mark = ['-m', 'comment', '--comment', owner]
  try {
    await list('INPUT')
    // Proves the right to change: a rule that matches nothing, for a moment.
    const trial = ['-i', 'sluice-trial', ...mark, '-j', 'DROP']
    await iptables(['-I', 'INPUT', '1', ...trial])
    await iptables(['-D', 'INPUT', ...trial])
  } catch {
    return undefined
  }

  /** Rules of all hubs. */
  async function rules(): Promise<Rule[]> {
    const found = await Promise.all(chains.map(chain => list(chain).catch(() => [])))
    return found.flat().filter(rule => ownerOf(rule).startsWith('sluice-'))
  }

  async function remove(gone: (bridge: string, owner: string) => boolean): Promise<void> {
    for (const rule of await rules()) {
      if (gone(wordAfter(rule, '-i'), ownerOf(rule))) await iptables(['-D', rule.chain, ...rule.words])
    }
  }

  return {
    async guard(bridge, door, denied) {
      for (const range of denied) {
        await iptables(['-I', 'DOCKER-USER', '1', '-i', bridge, '-d', range, ...mark, '-j', 'DROP'])
      }
      // Answers to what the hub asked of a container go on; nothing begins in there.
      const fresh = ['-m', 'conntrack', '--ctstate', 'NEW,INVALID']
      await iptables(['-I', 'INPUT', '1', '-i', bridge, ...fresh, ...mark, '-j', 'DROP'])
      if (door) {
        const to = ['-d', `${door.host}/32`, '-p', 'tcp', '-m', 'tcp', '--dport', String(door.port)]
        await iptables(['-I', 'INPUT', '1', '-i', bridge, ...to, ...mark, '-j', 'ACCEPT'])
      }
    },
    unguard: bridge => remove(found => found === bridge),
    keepOnly: bridges => remove((found, whose) => whose === owner && !bridges.has(found)),
  }
}

async function list(chain: string): Promise<Rule[]> {
  const text = await iptables(['-S', chain])
  return text
    .split('\n')
    .filter(line => line.startsWith('-A '))
    .map(line => ({ chain, words: line.split(' ').slice(2).map(unquoted) }))
}

function ownerOf(rule: Rule): string {
  return wordAfter(rule, '--comment')
}

function wordAfter({ words }: Rule, word: string): string {
  const at = words.indexOf(word)
  return at < 0 ? '' : (words[at + 1] ?? '')
}

function unquoted(word: string): string {
  return word.replace(/^"(.*)"$/, '$1')
}

function iptables(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const how = { timeout: bounds.docker.toolMs, env: { PATH: '/usr/sbin:/sbin:/usr/bin:/bin' } }
    execFile('iptables', ['-w', '4', ...args], how, (error, stdout) => {
      if (error) reject(new Error(`iptables ${args.join(' ')}: ${error.message}`, { cause: error }))
      else resolve(stdout)
    })
  })
}
