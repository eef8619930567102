import type { Flag } from '@sluice/core/config'
import { Command, CommanderError, Option } from 'commander'

/** What the command line asks for: to run the hub, or to print something and end. */
export type Request =
  | {
      readonly kind: 'run'
      readonly flags: readonly Flag[]
      readonly file?: string
      readonly wskprops?: string | true
      readonly printConfig: boolean
    }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'mistake'; readonly text: string }

/** The setting that each option stands for. */
const settings: Readonly<Record<string, { flag: string; path: string }>> = {
  port: { flag: '--port', path: 'http.port' },
  host: { flag: '--host', path: 'http.host' },
  dataDir: { flag: '--data-dir', path: 'dataDir' },
  containers: { flag: '--containers', path: 'containers.mode' },
}

const examples = `
Examples:
  npm start                                    everything on 127.0.0.1:3233, data in ./.sluice
  npm start -- --port 8080 --no-samples        another port, an empty namespace
  npm start -- --data-dir /var/lib/sluice      keep the data elsewhere
  npm start -- --write-wskprops                let wsk and other OpenWhisk clients find this hub
  npm start -- --config sluice.yaml --print-config

Every setting can also be given in a file or in the environment: docs/reference/configuration.md`

/** Reads the arguments that follow the program's name. */
export function parseOptions(args: readonly string[]): Request {
  let printed = ''
  const command = new Command('npm start --')
    .usage('[options]')
    .description('Sluice, an event hub compatible with Apache OpenWhisk, in one process.')
    .addOption(new Option('--port <number>', 'port to listen on; 0 takes a free one (default: 3233)'))
    .addOption(new Option('--host <address>', 'address to listen on (default: 127.0.0.1)'))
    .addOption(new Option('--data-dir <folder>', 'where the hub keeps everything (default: ./.sluice)'))
    .addOption(new Option('--containers <mode>', 'how actions run: auto, process or docker (default: auto)'))
    .addOption(new Option('--no-samples', 'install no samples at the first start'))
    .addOption(new Option('--config <file>', 'configuration file (default: sluice.yaml, if there is one)'))
    .addOption(
      new Option(
        '--write-wskprops [file]',
        "write API host and guest key for OpenWhisk's clients (default: ~/.wskprops)",
      ),
    )
    .addOption(new Option('--print-config', 'print the effective configuration, secrets masked, and end'))
    .helpOption('--help', 'show this help')
    .addHelpText('after', examples)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: text => (printed += text), writeErr: text => (printed += text) })
  try {
    command.parse([...args], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { kind: 'help', text: printed }
    const reason = printed
      .trim()
      .replace(/^error: /, '')
      .replace(/\s*\n\s*/g, ' ')
    return { kind: 'mistake', text: `${reason} (--help lists the options)` }
  }
  return requestOf(command.opts())
}

function requestOf(given: Record<string, string | boolean | undefined>): Request {
  const flags: Flag[] = []
  for (const [name, { flag, path }] of Object.entries(settings)) {
    const text = given[name]
    if (typeof text === 'string') flags.push({ flag, path, text })
  }
  if (given.samples === false) flags.push({ flag: '--no-samples', path: 'samples.install', text: 'false' })
  const { config: file, writeWskprops: wskprops } = given
  return {
    kind: 'run',
    flags,
    printConfig: given.printConfig === true,
    ...(typeof file === 'string' ? { file } : {}),
    ...(wskprops === undefined || wskprops === false ? {} : { wskprops }),
  }
}
