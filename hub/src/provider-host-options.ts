import { Command, CommanderError } from 'commander'
import { readFileSync } from 'node:fs'
import { masterKeyBytes } from './key-ring.ts'
import { hostedProviders, type ProviderHostOptions } from './provider-host.ts'

export type ProviderHostRequest =
  | { readonly kind: 'run'; readonly options: ProviderHostOptions }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'mistake'; readonly text: string }

/**
 * Reads the command line of the provider host. The secrets may come from the environment, because everybody on a machine
 * can read a command line: SLUICE_PROVIDER_KEY, SLUICE_PROVIDER_TOKEN, SLUICE_MASTER_KEY.
 */
export function parseProviderHostOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ProviderHostRequest {
  let help = ''
  const command = new Command('provider-host')
    .description('Runs one provider alone, against a hub.')
    .requiredOption('--provider <name>', `one of: ${Object.keys(hostedProviders).join(', ')}`)
    .requiredOption('--hub <url>', "the hub's API host")
    .option('--state <url>', "the hub's operator door, when that is not at its API host")
    .option('--master-key-file <file>', "the hub's master keys, in hex, one a line")
    .option('--key <key>', "the provider's key for the hub's state, if another", env.SLUICE_PROVIDER_KEY)
    .option('--token <token>', 'the secret of the feed actions, if another', env.SLUICE_PROVIDER_TOKEN)
    .option('--instance <name>', 'names this installation in event sources', 'hub')
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <port>', 'where to listen; 0 takes a free one', '8080')
    .exitOverride()
    .configureOutput({ writeOut: text => void (help += text), writeErr: () => undefined })
  try {
    command.parse([...args], { from: 'user' })
    return { kind: 'run', options: optionsFrom(command.opts<Record<string, string>>(), env) }
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.helpDisplayed') return { kind: 'help', text: help }
    return { kind: 'mistake', text: error.message.replace(/^error: /, '') }
  }
}

function optionsFrom(
  given: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>>,
): ProviderHostOptions {
  const { provider = '', hub = '', state, key, token, masterKeyFile, instance = '', host = '', port } = given
  if (!Object.hasOwn(hostedProviders, provider)) throw mistake(`there is no provider '${provider}'`)
  const number = Number(port)
  if (!Number.isInteger(number) || number < 0 || number > 65_535) throw mistake(`'${port}' is not a port`)
  const masterKeys = readMasterKeys(masterKeyFile, env.SLUICE_MASTER_KEY)
  return { provider, hub, state, key, token, masterKeys, instance, host, port: number }
}

function readMasterKeys(file: string | undefined, fromEnvironment: string | undefined): Buffer[] {
  const text = file === undefined ? fromEnvironment : readFile(file)
  if (!text) throw mistake('--master-key-file or SLUICE_MASTER_KEY is missing')
  const keys = text.split(/\s+/).filter(Boolean)
  if (keys.some(key => key.length !== 2 * masterKeyBytes || !/^[0-9a-f]+$/i.test(key))) {
    throw mistake(`a master key is ${2 * masterKeyBytes} hex digits`)
  }
  return keys.map(key => Buffer.from(key, 'hex'))
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw mistake(`${file} cannot be read`)
  }
}

function mistake(text: string): CommanderError {
  return new CommanderError(2, 'sluice.mistake', text)
}
