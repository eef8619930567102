import { spawn, type ChildProcess } from 'node:child_process'
import type { Logger } from '../../spi/index.ts'
import { markerName } from './process-table.ts'

/**
 * A shell of a few hundred kilobytes that outlives this process and then ends the containers, those too that stand still and could
 * not notice by themselves. It reads `+ group`, `- group`, and `end` from a pipe that only this process holds: at the
 * pipe's end without `end` this process is gone. The groups first, then whoever carries the marker of this life; three
 * times, because a process may fork meanwhile.
 */
const script = `
trap '' INT TERM HUP
groups=' '
IFS=' ' read -r marker || exit 0
while IFS=' ' read -r word group; do
  case $word in
    +) groups="$groups$group " ;;
    -) case $groups in *" $group "*) groups="\${groups%%" $group "*} \${groups#*" $group "}" ;; esac ;;
    end) exit 0 ;;
  esac
done
for round in 1 2 3; do
  for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
  if [ -r /proc/self/environ ]; then
    for file in $(grep -lsF -e "$marker" /proc/[0-9]*/environ); do
      pid=\${file#/proc/}
      kill -s KILL "\${pid%/environ}" 2>/dev/null
    done
  else
    ps axeww -o pid=,command= | while read -r pid rest; do
      case $rest in *"$marker"*) kill -s KILL "$pid" 2>/dev/null ;; esac
    done
  fi
  sleep 0.1
done
`

/** Ends the process groups it knows of when this process is gone, however it went. */
export class Watchdog {
  readonly #life: string
  readonly #log: Logger
  readonly #groups = new Set<number>()
  #shell: ChildProcess | undefined
  #closed = false

  /** `life`: the beginning that the markers of this process's containers have in common. */
  constructor(life: string, log: Logger) {
    this.#life = life
    this.#log = log
  }

  add(group: number): void {
    if (this.#closed || process.platform === 'win32') return
    this.#groups.add(group)
    // One that was ended by somebody is replaced when there is something new to watch.
    if (this.#shell) this.#tell(`+ ${group}`)
    else this.#start()
  }

  /** The group's id may be another's from now on. */
  remove(group: number): void {
    if (this.#groups.delete(group)) this.#tell(`- ${group}`)
  }

  /** Nothing is left to watch. */
  close(): void {
    this.#closed = true
    this.#tell('end')
    this.#shell?.stdin?.end()
  }

  #start(): void {
    const shell = spawn('/bin/sh', ['-c', script, 'sluice-watchdog'], {
      // Not ended with the terminal, nor in anybody's way.
      detached: true,
      cwd: '/',
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' },
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#shell = shell
    const gone = (error?: Error): void => {
      if (this.#shell !== shell) return
      this.#shell = undefined
      if (!this.#closed) this.#log.warn({ ...(error && { err: error }) }, 'the watchdog of the containers has ended')
    }
    shell.once('error', gone).once('exit', () => gone())
    shell.stdin?.on('error', () => undefined)
    // It must not keep this process alive.
    shell.unref()
    ;(shell.stdin as { unref?: () => void } | null)?.unref?.()
    this.#tell(`${markerName}=${this.#life}`)
    for (const group of this.#groups) this.#tell(`+ ${group}`)
  }

  #tell(line: string): void {
    this.#shell?.stdin?.write(`${line}\n`)
  }
}
