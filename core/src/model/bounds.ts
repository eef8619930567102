/**
 * Every bound of the hub, in one place (reliability.md I-F). Sizes in bytes, times in milliseconds, unless the name says
 * otherwise. What an operator may change is in the configuration and has its default here.
 */
const kib = 1024
const mib = 1024 * kib
const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

export const bounds = {
  http: {
    bodyBytesMax: 50 * mib,
    headerBytesMax: 16 * kib,
    headersTimeoutMs: 10 * second,
    requestTimeoutMs: 60 * second,
    keepAliveTimeoutMs: 65 * second,
    connectionsCheckMs: second,
    connectionsMax: 10_000,
    requestsPerSocketMax: 1_000_000,
    jsonDepthMax: 128,
    jsonTokensMax: 100_000,
    drainMs: 30 * second,
  },
  api: {
    nameLengthMax: 256,
    listLimitDefault: 30,
    listLimitMax: 200,
    blockingWaitMsMax: 60 * second,
    payloadBytesMax: mib,
    parametersBytesMax: mib,
    annotationsBytesMax: mib,
    codeBytesMax: 48 * mib,
    sequenceLengthMax: 50,
    settlementIdsMax: 1000,
    settlementWaitMsMax: 60 * second,
    casRetriesMax: 10,
    identityCacheMax: 10_000,
    identityCacheTtlMs: 60 * second,
    entityCacheMax: 10_000,
    entityCacheTtlMs: 60 * second,
    packageActionsMax: 10_000,
  },
  actionLimits: {
    timeoutMsMin: 100,
    timeoutMsMax: 300 * second,
    timeoutMsDefault: 60 * second,
    memoryMbMin: 128,
    memoryMbMax: 512,
    memoryMbDefault: 256,
    logsMbMin: 0,
    logsMbMax: 10,
    logsMbDefault: 10,
    concurrencyMin: 1,
    concurrencyMax: 1,
    concurrencyDefault: 1,
    resultBytesMax: mib,
    resultTruncationBytes: mib,
  },
  fire: {
    /** A child carries its payload up to here, else a reference to the fire record (design.md §3.2). */
    childPayloadBytesMax: 64 * kib,
    backlogMax: 1_000_000,
    backlogBytesMax: 4096 * mib,
    fanOutConcurrency: 64,
    /** Identities (event or Idempotency-Key) that are remembered, per namespace. */
    identitiesMax: 1_000_000,
    identityTtlMs: day,
    deadLettersPerRuleMax: 10_000,
    deadLetterTtlMs: 7 * day,
    messageBytesMax: 8 * mib,
  },
  invoker: {
    userMemoryMb: 2048,
    queueMax: 10_000,
    /** A direct invoke that would wait longer is refused at the door (reliability.md §6.4.5). */
    directWaitMsMax: 5 * second,
    pauseGraceMs: 10 * second,
    idleContainerMs: 10 * minute,
    createConcurrencyMax: 10,
    createTimeoutMs: minute,
    suspendTimeoutMs: 10 * second,
    initRetryMs: 5,
    initBytesMax: 80 * mib,
    /** Estimated cold start, until one was measured: a run waits for a busy equal container rather than evict for less. */
    coldStartEstimateMs: 120,
    warmWaitMsMax: 2 * second,
    attemptsMax: 3,
    attemptBackoffMs: second,
    attemptBackoffMsMax: 5 * minute,
    attemptElapsedMsMax: 6 * hour,
    logIdleMs: 2 * second,
    logMsPerMb: 2 * second,
    logMbMin: 5,
    oomProbeMs: 2 * second,
    codeCacheBytesMax: 64 * mib,
    claimsMax: 10_000,
  },
  bus: {
    partitions: 12,
    retentionMs: 2 * day,
    messageBytesMax: 8 * mib,
    /** Messages kept in memory for each subscription; beyond, they are read back from disk. */
    prefetchMax: 1000,
    prefetchBytesMax: 32 * mib,
    /** Completions above the low-water mark; beyond, delivery pauses. */
    outOfOrderMax: 10_000,
    redeliveryDelayMs: 100,
    redeliveryDelayMsMax: 30 * second,
    positionWriteMs: 50,
    pruneIntervalMs: 10 * second,
    pruneBatch: 1000,
  },
  store: {
    batchOpsMax: 4096,
    documentBytesMax: 64 * mib,
    inlineCodeBytesMax: 16 * kib,
    activationRetentionMs: 7 * day,
    activationBytesMax: 1024 * mib,
    pruneIntervalMs: 60 * second,
    pruneBatch: 1000,
    scanMax: 1000,
    watchersMax: 10_000,
  },
  limitsDefault: { invocationsPerMinute: 60, concurrentInvocations: 30, firesPerMinute: 60 },
} as const

export type Bounds = typeof bounds
