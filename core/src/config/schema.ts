import type { Static, TObject, TProperties, TSchemaOptions } from 'typebox'
import { bounds } from '../model/bounds.ts'
import { Type } from './type.ts'

/** Every setting of the hub with its type, default and meaning: the check, the static type and
 *  docs/reference/configuration.md all come from here. */

const limit = bounds.actionLimits

/** Where operators find a hub that is open to the network. */
export const operatorPort = 3234

export const configSchema = section('Settings of the hub.', {
  dataDir: Type.String({
    default: './.sluice',
    minLength: 1,
    description:
      'Folder that holds everything the hub keeps; created with mode 0700. Relative to the working directory.',
  }),
  http: section("The public door: the REST API and, on a loopback address, the operator's routes.", {
    host: Type.String({
      default: '127.0.0.1',
      minLength: 1,
      description: 'Address to listen on. Anything but a loopback address opens the hub to the network.',
    }),
    port: count(3233, { maximum: 65535, description: 'Port to listen on; 0 takes a free one.' }),
    publicUrl: Type.Optional(
      Type.String({
        format: 'url',
        description: 'How clients reach the hub, when that differs from host and port: `https://hub.example`.',
      }),
    ),
  }),
  admin: section(
    "The operator's door: `/metrics`, `/livez`, `/readyz`, the state of providers outside the hub. It asks for no key but a provider's.",
    {
      host: Type.String({
        default: '127.0.0.1',
        minLength: 1,
        description: 'Address that the door listens on, when it has a port of its own.',
      }),
      port: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 65535,
          description: `Port of its own; 0 takes a free one. When unset: the port of \`http\` if that listens on a loopback address, else ${operatorPort}.`,
        }),
      ),
    },
  ),
  containers: section('How actions are run.', {
    mode: choice(
      ['auto', 'process', 'docker'],
      'auto',
      '`process`: plain processes, for development (no isolation from each other). `docker`: containers. `auto`: Docker for the kinds whose image an engine on this machine has, processes for the others.',
    ),
    docker: section('Containers of a Docker engine.', {
      engine: Type.String({
        default: 'unix:///var/run/docker.sock',
        minLength: 1,
        description: 'Where the Engine API answers: `unix:///path` or `tcp://host:port`.',
      }),
      transport: choice(
        ['auto', 'socket', 'address', 'port'],
        'auto',
        'How the hub calls a container. `socket`: by a unix socket in a mounted directory, if the image can. `address`: at its address. `port`: at a published port. `auto`: `socket` where the engine is on this machine, else `address`.',
      ),
      egress: choice(
        ['platform', 'none', 'open'],
        'platform',
        'What actions reach. `none`: nothing; feed actions of `whisk.system` reach the public API all the same. `platform`: the public API of this hub. `open`: also the internet.',
      ),
      networkRange: Type.String({
        default: '10.213.0.0/16',
        minLength: 1,
        description: 'IPv4 range from which networks of namespaces get their /28 subnets.',
      }),
      deniedRanges: Type.Array(Type.String({ minLength: 1, description: 'IPv4 range.' }), {
        default: ['169.254.0.0/16'],
        maxItems: 100,
        description: 'Ranges that `open` does not include.',
      }),
      user: Type.String({
        default: '65532:65532',
        pattern: '^[1-9][0-9]*:[1-9][0-9]*$',
        shape: 'uid:gid, both numbers above 0',
        description: 'User and group of everything that runs in a container.',
      }),
      runtime: Type.Optional(
        Type.String({ minLength: 1, description: "Another runtime of the engine's, such as `runsc`." }),
      ),
      dns: words('DNS servers of containers with egress `open`.'),
      dnsSearch: words('DNS search domains of containers.'),
      dnsOptions: words('DNS options of containers.'),
      extraEnv: words('Further variables of every container: `NAME=value`, or `NAME` for an empty one.'),
      tmpMb: count(64, { minimum: 1, description: 'Size of /tmp in a container, MB; counts as its memory.' }),
      actionMb: count(256, { minimum: 1, description: 'Size of /action in a container, MB; counts as its memory.' }),
      socketDirectory: Type.Optional(
        Type.String({
          minLength: 1,
          description:
            "Folder for the hub's sockets, with the same path for the engine. When unset: the system's temporary directory.",
        }),
      ),
      registries: Type.Array(
        record({
          server: Type.String({ minLength: 1, description: 'Host of the registry, such as `registry.example:5000`.' }),
          username: Type.String({ minLength: 1, description: 'User.' }),
          password: Type.String({ secret: true, minLength: 1, description: 'Password or token.' }),
        }),
        { default: [], maxItems: 100, description: 'Credentials for pulling images that actions name.' },
      ),
    }),
  }),
  invoker: section('The pool of action containers.', {
    userMemoryMb: count(bounds.invoker.userMemoryMb, {
      minimum: limit.memoryMbMin,
      description: 'Memory that all action containers together may take, MB.',
    }),
    pauseGraceMs: count(bounds.invoker.pauseGraceMs, {
      description: 'How long an idle container stays awake before it is suspended.',
    }),
    idleContainerMs: count(bounds.invoker.idleContainerMs, {
      description: 'How long an idle container is kept before it is removed.',
    }),
    prewarm: Type.Array(
      record({
        kind: Type.String({ minLength: 1, description: 'Runtime kind, such as `nodejs:20`.' }),
        memoryMb: Type.Integer({ minimum: 1, description: 'Memory of each container, MB.' }),
        count: Type.Integer({ minimum: 0, maximum: 1000, description: 'How many to keep ready.' }),
      }),
      {
        default: [{ kind: 'nodejs:20', memoryMb: limit.memoryMbDefault, count: 1 }],
        maxItems: 100,
        description: 'Containers that are started before any action needs them.',
      },
    ),
  }),
  limits: section('What a namespace and an action may do.', {
    profile: Type.Optional(
      Type.Enum(['open', 'openwhisk'], {
        description:
          '`open`: no limits by the minute and on concurrency. `openwhisk`: those of OpenWhisk. When unset: `open` on a loopback address, else `openwhisk`.',
      }),
    ),
    invocationsPerMinute: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: `Action invocations per minute and namespace. When unset: none in \`open\`, ${bounds.limitsDefault.invocationsPerMinute} in \`openwhisk\`.`,
      }),
    ),
    concurrentInvocations: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: `Invocations in flight per namespace. When unset: none in \`open\`, ${bounds.limitsDefault.concurrentInvocations} in \`openwhisk\`.`,
      }),
    ),
    firesPerMinute: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: `Trigger fires per minute and namespace. When unset: none in \`open\`, ${bounds.limitsDefault.firesPerMinute} in \`openwhisk\`.`,
      }),
    ),
    actions: section('Bounds of the limits that an action may ask for.', {
      timeoutMsMin: count(limit.timeoutMsMin, { minimum: 1, description: 'Least time-out.' }),
      timeoutMsMax: count(limit.timeoutMsMax, { minimum: 1, description: 'Greatest time-out.' }),
      timeoutMsDefault: count(limit.timeoutMsDefault, {
        minimum: 1,
        description: 'Time-out of actions that name none.',
      }),
      memoryMbMin: count(limit.memoryMbMin, { minimum: 1, description: 'Least memory, MB.' }),
      memoryMbMax: count(limit.memoryMbMax, { minimum: 1, description: 'Greatest memory, MB.' }),
      memoryMbDefault: count(limit.memoryMbDefault, {
        minimum: 1,
        description: 'Memory of actions that name none, MB.',
      }),
      logsMbMin: count(limit.logsMbMin, { description: 'Least log size, MB.' }),
      logsMbMax: count(limit.logsMbMax, { description: 'Greatest log size, MB.' }),
      logsMbDefault: count(limit.logsMbDefault, { description: 'Log size of actions that name none, MB.' }),
      concurrencyMin: count(limit.concurrencyMin, { minimum: 1, description: 'Least concurrency within a container.' }),
      concurrencyMax: count(limit.concurrencyMax, {
        minimum: 1,
        maximum: 1000,
        description: 'Greatest concurrency within a container. 1, as in OpenWhisk, until it is raised here.',
      }),
      concurrencyDefault: count(limit.concurrencyDefault, {
        minimum: 1,
        description: 'Concurrency of actions that name none.',
      }),
    }),
  }),
  identities: Type.Array(
    record({
      namespace: Type.String({
        minLength: 1,
        maxLength: bounds.api.nameLengthMax,
        description: 'Namespace of the key.',
      }),
      key: Type.String({
        secret: true,
        pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}:[A-Za-z0-9]{64,128}$',
        shape: 'uuid:secret, the secret 64 to 128 letters and digits',
        description: 'API key as `uuid:secret`; the secret has 64 to 128 letters and digits.',
      }),
    }),
    {
      default: [],
      maxItems: 1000,
      description:
        'Namespaces and keys that are put into the store at start, beside the drawn ones of `guest` and `whisk.system`.',
    },
  ),
  providers: section('Event sources that run inside the hub.', {
    alarms: section('Cron, interval and one-shot alarms.', {
      enabled: flag(true, 'Whether the provider runs in this process.'),
      url: Type.Optional(
        Type.String({
          minLength: 1,
          description: 'Where the provider runs that is not in this process; the hub keeps its state.',
        }),
      ),
      limitCronFields: flag(false, 'Refuse cron patterns with a seconds field other than 0.'),
      alarmDelayLimit: count(0, {
        maximum: 59,
        description:
          'Spread alarms that are not strict over the first seconds of their minute, up to this one; 0: off.',
      }),
      defaultStrict: flag(false, 'Whether alarms that do not say so are strict.'),
    }),
  }),
  retention: section('How long settled work is kept. Nothing unsettled is ever removed.', {
    activationsMs: count(bounds.store.activationRetentionMs, { description: 'Age at which activation records go.' }),
    activationsBytes: count(bounds.store.activationBytesMax, {
      description: 'Size of all activation records beyond which the oldest go.',
    }),
    busMs: count(bounds.bus.retentionMs, { description: 'Age at which settled fires and messages go.' }),
    deadLettersMs: count(bounds.fire.deadLetterTtlMs, { description: 'Age at which dead letters go.' }),
    deadLettersPerRule: count(bounds.fire.deadLettersPerRuleMax, {
      description: 'Dead letters of one rule beyond which the oldest go.',
    }),
  }),
  secrets: section('Keys that protect what is stored.', {
    keyFile: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'File with the master key (0600). When unset: `master-key` in the data directory, drawn at the first start.',
      }),
    ),
    masterKey: Type.Optional(
      Type.String({
        secret: true,
        pattern: '^[0-9a-fA-F]{64}$',
        shape: '64 hex digits',
        description: 'The master key itself as 64 hex digits, for environments without files. Wins over `keyFile`.',
      }),
    ),
  }),
  log: section('The log of the hub itself, JSON lines on stderr.', {
    level: Type.Optional(
      Type.Enum(['silent', 'error', 'warn', 'info', 'debug'], {
        description: 'Least severity to write. When unset: `warn` on a terminal, else `info`.',
      }),
    ),
  }),
  samples: section('The two sample flows in namespace `guest`.', {
    install: flag(true, 'Install them at the first start.'),
  }),
})

/** The settings as given: what has no default may be absent. */
export type Settings = Static<typeof configSchema>

/** OpenWhisk's limits by the minute and on concurrency, or none. */
export type LimitsProfile = 'open' | 'openwhisk'

/** The effective configuration: as the settings, with limits profile and operator's door decided. In profile `openwhisk`
 *  the three limits are numbers; in `open` an absent one means none. Without `admin.port` one port serves everything. */
export type Config = Omit<Settings, 'limits'> & {
  readonly limits: Settings['limits'] & { readonly profile: LimitsProfile }
}

function section<P extends TProperties>(description: string, properties: P): TObject<P> {
  return Type.Object(properties, { additionalProperties: false, description })
}

function record<P extends TProperties>(properties: P): TObject<P> {
  return Type.Object(properties, { additionalProperties: false })
}

/** A whole number that is not negative. */
function count(standard: number, options: TSchemaOptions & { minimum?: number; maximum?: number }) {
  return Type.Integer({ minimum: 0, ...options, default: standard })
}

function choice<const V extends string[]>(values: readonly [...V], standard: V[number], description: string) {
  return Type.Enum(values, { default: standard, description })
}

/** A list of short texts, empty unless given. */
function words(description: string) {
  const word = Type.String({ minLength: 1, description: 'One of them.' })
  return Type.Array(word, { default: [], maxItems: 100, description })
}

function flag(standard: boolean, description: string) {
  return Type.Boolean({ default: standard, description })
}
