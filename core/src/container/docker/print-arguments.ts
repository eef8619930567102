import type Dockerode from 'dockerode'

/**
 * The settings of a container as the arguments that `docker run` would need, for operators and tests (platform.md §13.1).
 * Values of environment variables are masked, but for the API host.
 */
export function printArguments(settings: Dockerode.ContainerCreateOptions): string[] {
  const host = settings.HostConfig ?? {}
  const words: string[] = ['--cpu-shares', String(host.CpuShares)]
  const add = (name: string, values: readonly string[]): void => {
    for (const value of values) words.push(name, value)
  }
  add('--memory', [megabytes(host.Memory)])
  add('--memory-swap', [megabytes(host.MemorySwap)])
  add('--network', [host.NetworkMode ?? 'default'])
  add('-e', (settings.Env ?? []).map(masked))
  add('--dns', host.Dns ?? [])
  add('--dns-search', host.DnsSearch ?? [])
  add('--dns-option', host.DnsOptions ?? [])
  add('--name', [settings.name ?? ''])
  add('--user', [settings.User ?? ''])
  add('--cap-drop', (host.CapDrop as string[] | undefined) ?? [])
  add('--security-opt', (host.SecurityOpt as string[] | undefined) ?? [])
  add(
    '--ulimit',
    ((host.Ulimits ?? []) as readonly { Name?: string; Soft?: number; Hard?: number }[]).map(
      ({ Name, Soft, Hard }) => `${Name}=${Soft}:${Hard}`,
    ),
  )
  add('--pids-limit', [String(host.PidsLimit)])
  if (host.ReadonlyRootfs) words.push('--read-only')
  add(
    '--tmpfs',
    Object.entries((host.Tmpfs ?? {}) as Record<string, string>).map(([path, how]) => `${path}:${how}`),
  )
  add(
    '--mount',
    (host.Mounts ?? []).map(({ Type, Source, Target }) => `type=${Type},source=${Source},target=${Target}`),
  )
  add('--log-driver', [host.LogConfig?.Type ?? 'json-file'])
  if (host.Init) words.push('--init')
  words.push(settings.Image ?? '')
  return words
}

function megabytes(bytes: number | undefined): string {
  return `${Math.floor((bytes ?? 0) / 1024 ** 2)}m`
}

function masked(variable: string): string {
  const equals = variable.indexOf('=')
  const name = variable.slice(0, equals)
  return name.startsWith('__OW_') ? variable : `${name}=***`
}
