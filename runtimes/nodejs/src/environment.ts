/** Variables of one activation, by their full names (`__OW_ACTIVATION_ID`). */
export type Environment = Record<string, string>

/** Makes the variables of /init visible to code that is loaded afterwards; null becomes empty (runtimes.md §1.2). */
export function exportInitEnvironment(env: unknown): void {
  if (typeof env !== 'object' || env === null) return
  for (const [name, value] of Object.entries(env)) process.env[name] = value === null ? '' : variableText(value)
}

/** Every field of a /run body but `value`, as its `__OW_` variable; what is no string becomes JSON (§1.3). */
export function activationEnvironment(message: Record<string, unknown>): Environment {
  const environment = Object.create(null) as Environment
  for (const name of Object.keys(message)) {
    if (name !== 'value') environment[`__OW_${name.toUpperCase()}`] = variableText(message[name])
  }
  return environment
}

/** For runs one at a time: the variables of the process are those of the activation. */
export function exportEnvironment(environment: Environment): void {
  for (const name in environment) process.env[name] = environment[name]
}

/**
 * For runs that overlap: reads of `process.env.__OW_*` answer from the activation that asks, everything else from the
 * process (§1.6). `current` finds the asking activation's variables.
 */
export function makeEnvironmentContextAware(current: () => Environment | undefined): void {
  const owned = (name: string | symbol): string | undefined =>
    typeof name === 'string' && name.startsWith('__OW_') ? current()?.[name] : undefined
  process.env = new Proxy(process.env, {
    get: (env, name) => owned(name) ?? env[name as string],
    has: (env, name) => owned(name) !== undefined || name in env,
    // Node accepts whole descriptors only, hence no Reflect.set on its own object.
    set: (env, name, value: unknown) => {
      const target = owned(name) === undefined ? env : current()
      target![name as string] = String(value) // owned() found it in current()
      return true
    },
    ownKeys: env => [...new Set([...Reflect.ownKeys(env), ...Object.keys(current() ?? {})])],
    getOwnPropertyDescriptor: (env, name) => {
      const value = owned(name)
      return value === undefined
        ? Reflect.getOwnPropertyDescriptor(env, name)
        : { value, writable: true, enumerable: true, configurable: true }
    },
  })
}

function variableText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
