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
    /** Bytes that the answer about broken JSON shows of its line. */
    jsonErrorLineMax: 2 * kib,
    drainMs: 30 * second,
    /** A stop waits so long for the rest of a request. */
    drainBodyMs: 3 * second,
    /** A body must be complete by then (rest-api.md §1.9); looked after at the sweep. */
    bodyTimeoutMs: 30 * second,
    bodySweepMs: second,
    /** The rest of a refused body is taken for so long before its connection is closed. */
    lingerMs: 2 * second,
    /** Bytes of bodies that are being read, over all requests. */
    bodyBytesHeldMax: 256 * mib,
    urlLengthMax: 8 * kib,
    /** An answer that is made while the client takes it ends after this. */
    streamMsMax: 2 * minute,
    retryAfterSeconds: 1,
    transidLengthMax: 256,
    idempotencyKeyLengthMax: 256,
  },
  api: {
    nameLengthMax: 256,
    listLimitDefault: 30,
    listLimitMax: 200,
    /** Whole records are read one at a time, but an answer has an end; and so many lists of them run at once. */
    fullListBytesMax: 256 * mib,
    fullListsMax: 32,
    fullListsPerNamespaceMax: 4,
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
    /** Keys of actions expire by themselves, at most this much too late. */
    actionKeyCacheTtlMs: 5 * second,
    entityCacheMax: 10_000,
    entityCacheTtlMs: 60 * second,
    /** Namespaces whose triggers with `accepts` are kept compiled. */
    triggerIndexMax: 1000,
    /** Stored annotations that cannot be used, of which it is remembered that the log has them. */
    toldProblemsMax: 1000,
    /** JSON text of the documents in the cache, code left out. */
    entityCacheBytesMax: 64 * mib,
    /** A provider that is a binding itself exists only in a store that was written past the API. */
    bindingDepthMax: 8,
    rateKeysMax: 100_000,
    /** How far stamps of quick writes may run ahead of the clock; more means that the clock was set back. */
    stampLeadMsMax: 10 * second,
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
    /** Of one request: an event fires every trigger that accepts it, and a batch has many events. */
    requestFiresMax: 10_000,
    requestBytesMax: 128 * mib,
    fanOutConcurrency: 64,
    /** The attempts to decide about a rule stretch over at least this long. */
    fanOutTriesMs: 3 * second,
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
    /** A queue that its warm containers get through in less, or whose head has waited for less, starts no container. */
    growAfterMs: 10,
    warmWaitMsMax: 2 * second,
    backfillDelayMs: 250,
    attemptsMax: 3,
    /** Attempts of a rule's run that were lost after `/run` was sent, with their invoker or their container. */
    lostAttemptsMax: 5,
    attemptBackoffMs: second,
    attemptBackoffMsMax: 5 * minute,
    attemptElapsedMsMax: 6 * hour,
    logIdleMs: 2 * second,
    logMsPerMb: 2 * second,
    logMbMin: 5,
    oomProbeMs: 2 * second,
    codeCacheBytesMax: 64 * mib,
    /** Claims without a record: those of direct invokes that wait, at most twice the queue, and of what runs. */
    claimsMax: 25_000,
    /** Actions whose usual duration is remembered. */
    experienceMax: 10_000,
    /** Direct non-blocking invokes of a namespace that have no record yet; beyond, 429. */
    backlogMax: 100_000,
    backlogBytesMax: 1024 * mib,
    /** What the invoker takes from the bus before it is settled: so many for each container that its memory could hold, and
     *  a batch, in which it finds the runs that one container can serve in a row. */
    prefetchPerPlace: 8,
    prefetchBatch: 2000,
    /** Bodies of what it has taken: a thousand of the largest would not fit into memory. */
    prefetchBytesMax: 64 * mib,
  },
  container: {
    /** A longer line of output is cut into several. */
    logLineBytesMax: 256 * kib,
    /** Output kept while nobody reads it: a run prints before its logs are asked for, so at least `logsMbMax`. */
    logBufferBytesMax: 11 * mib,
    logSentinelsMax: 10_000,
    /** A read that waits for no sentinel ends when nothing came for so long. */
    logSettleMs: 50,
    stderrTailBytes: 16 * kib,
    /** Process containers: memory is added up, new processes are looked for, this often. */
    memorySampleMs: 200,
    processLookMs: second,
    /** reliability.md §5.2 */
    processesMax: 256,
    /** Output that a process left behind in its pipes is read for so long. */
    exitDrainMs: 500,
    destroyMs: 10 * second,
    destroyPollMsMax: 50,
  },
  /** Calls of the container engine, each with its own limit (platform.md §13.1). */
  docker: {
    pingMs: 2 * second,
    /** A single object. */
    lookMs: 10 * second,
    listMs: minute,
    startMs: minute,
    removeMs: minute,
    pauseMs: 10 * second,
    /** A pull has a budget of its own, apart from any action's time limit. */
    pullMs: 10 * minute,
    pullSilenceMs: minute,
    pullLineBytesMax: 64 * kib,
    startsMax: 10,
    /** A start is through when the runtime listens, or after this: it may also open its port late. */
    listenWaitMs: 5 * second,
    reconcileMs: 30 * second,
    /** After the engine went away it is asked this often. */
    returnLookMs: second,
    /** A start waits so long for an engine that is away, and then fails. */
    returnWaitMs: 20 * second,
    probeMs: second,
    /** A connection to a published port that stands so long has reached the container. */
    portSettleMs: 25,
    /** Events that explain an exit may come behind it: `die`, which follows `kill`, and `oom`. */
    dieEventMs: second,
    oomEventMs: 200,
    eventLineBytesMax: 64 * kib,
    networksMax: 1000,
    networkIdleMs: minute,
    relayConnectionsMax: 1000,
    relayIdleMs: 90 * second,
    imageFactsMs: minute,
    imagesKnownMax: 1000,
    toolMs: 5 * second,
  },
  bus: {
    partitions: 12,
    retentionMs: 2 * day,
    messageBytesMax: 8 * mib,
    /** Messages kept in memory for each subscription; beyond, they are read back from disk. */
    prefetchMax: 1000,
    prefetchBytesMax: 32 * mib,
    /** Messages of a group that wait for a redelivery or behind another of their key; beyond, delivery pauses. */
    outOfOrderMax: 10_000,
    /** As far a group looks ahead for messages of others, where handlers are shared out fairly; it keeps 0.2 KB of each. */
    lookAheadMax: 100_000,
    redeliveryDelayMs: 100,
    redeliveryDelayMsMax: 30 * second,
    positionWriteMs: 50,
    /** A position with many open messages is written more rarely: one millisecond for so many of them. */
    positionOpenPerMs: 20,
    pruneIntervalMs: 10 * second,
    pruneBatch: 1000,
  },
  store: {
    batchOpsMax: 4096,
    /** After a commit that this many writers shared, the next one waits a moment for company: each commit costs about
     *  0.1 ms of CPU whatever its size, and with so many at work nobody misses the moment. */
    crowdedWrites: 12,
    crowdedPauseMs: 1,
    /** One synced batch takes about so much; more goes into the next. */
    batchBytesMax: 16 * mib,
    /** Writes that wait for the disk; beyond, they are refused. */
    pendingBytesMax: 256 * mib,
    /** Attachments are kept in pieces. */
    attachmentPieceBytes: mib,
    documentBytesMax: 64 * mib,
    inlineCodeBytesMax: 16 * kib,
    activationRetentionMs: 7 * day,
    activationBytesMax: 1024 * mib,
    pruneIntervalMs: 60 * second,
    /** Records deleted in one step; others get through in the pause behind it. */
    pruneBatch: 250,
    prunePauseMs: 10,
    scanMax: 1000,
    watchersMax: 10_000,
  },
  hub: {
    /** The drain of the HTTP door and some seconds to flush. */
    stopMs: 40 * second,
    samplesMs: 20 * second,
    eventLinesPerSecondMax: 50,
    eventFlowColumnsMax: 80,
    eventNameCharactersMax: 40,
    /** Fires whose source is remembered for the lines of their runs. */
    eventOriginsMax: 10_000,
    /** Rules whose filter errors are counted each for itself. */
    failingRulesMax: 1000,
    pruneIntervalMs: 10 * minute,
  },
  config: { fileCharactersMax: 256 * kib, lineCharactersMax: 4096, bracketDepthMax: 64 },
  alarms: {
    cronLengthMax: 1000,
    /** Parsed calendars kept: croner's object takes 80 KB. */
    calendarsMax: 128,
    neverFiresYears: 5,
    exclusionDatesMax: 1000,
    catchUpWindowSecondsMax: 604_800,
    catchUpMaxMax: 10_000,
    onceGraceSecondsMax: 31_536_000,
    jitterSecondsMax: 3600,
    /** Missed instants are counted up to here for each subscription after a downtime; each costs 0.05 ms. */
    missedCountMax: 1000,
    /** Decisions taken before other work has its turn. */
    dueBatch: 500,
    dueSliceMs: 20,
    clockStepMs: 2 * second,
    /** The pulse is checked, and started again if it stopped, this often. */
    pulseCheckMs: 30 * second,
    pulseSilenceMsMax: 5 * second,
    auditMs: 60 * second,
    /** Outcomes are written together with what else changes within this time. */
    settleDelayMs: 50,
    /** Journal documents, and lines in them for each subscription, before they are folded into the ledgers. */
    journalSegmentsMax: 2000,
    journalLinesPerSubscription: 4,
    journalLinesMin: 1000,
    segmentLinesMax: 10_000,
    storeRetryMs: second,
  },
  /** Requests of providers and tools to the hub (reliability.md §6.7.5). */
  client: {
    connectTimeoutMs: 5 * second,
    headersTimeoutMs: 70 * second,
    bodyTimeoutMs: 30 * second,
    totalTimeoutMs: 90 * second,
    connectionsMax: 64,
    keepAliveMs: 4 * second,
    answerBytesMax: 16 * mib,
  },
  /** State documents over HTTP (design.md §5). */
  remoteState: {
    bodyBytesMax: 16 * mib,
    keyLengthMax: 1024,
    writesMax: 10_000,
    watchWaitMs: 20 * second,
    /** Changes remembered for watchers that are between two polls; who falls behind further reads everything again. */
    watchBacklogMax: 10_000,
    watchRetryMs: second,
    watchConnectionsMax: 16,
    /** Leases and fencing tokens are kept for each of these. */
    shards: 64,
  },
  /** Feed lifecycle, firing, retries (feeds.md §1, §5). */
  feeds: {
    lifecycleMs: 45 * second,
    lifecycleBodyBytesMax: 2 * mib,
    lifecyclePerMinute: 60,
    lifecycleInFlightMax: 1000,
    signatureWindowMs: 300 * second,
    subscriptionsMax: 100_000,
    authorityTimeoutMs: 5 * second,
    authorityRetries: 2,
    authorityBackoffMs: 200,
    casRetriesMax: 5,
    fireTimeoutMs: 10 * second,
    /** As many as are usually due in one second, so that none waits for the answer to another. */
    fireConnectionsMax: 256,
    fireConcurrencyMax: 256,
    /** Of one subscription, in flight or waiting. */
    fireQueueMax: 10_000,
    backoffBaseMs: second,
    backoffMsMax: 60 * second,
    backoffFloorMs: 100,
    retryAfterMsMax: 900 * second,
    maxAttempts: 12,
    maxAttemptsMax: 50,
    maxRetryElapsedMs: 900 * second,
    /** 429 and unreachable hubs are not the event's fault: they use an event up only after this long. */
    uncountedElapsedMs: day,
    credentialRetries: 3,
    credentialMs: minute,
    degradedAfter: 20,
    breakerFailures: 5,
    breakerWindowMs: 30 * second,
    breakerWindowMin: 20,
    breakerRatio: 0.8,
    breakerOpenMs: 5 * second,
    breakerOpenMsMax: minute,
    /** Fires a second after an outage, until what had waited is through. */
    rampPerSecond: 200,
    headerBytesMax: 8 * kib,
    payloadBytesMax: mib,
    deadLettersMax: 10_000,
    deadLetterBytesMax: 100 * mib,
    deadLetterTtlMs: 7 * day,
    deadLetterAnswerBytesMax: 2 * kib,
    nameDistanceMax: 2,
    /** Subscriptions read at once at the start. */
    loadPage: 250,
    listMax: 1000,
  },
  limitsDefault: { invocationsPerMinute: 60, concurrentInvocations: 30, firesPerMinute: 60 },
} as const

export type Bounds = typeof bounds
