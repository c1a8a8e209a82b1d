/// Every bound of the installation, in one place (I8). `LimitsTests` checks them against each other.
package enum Limits {
    // Shards and logs
    package static let shardsDefault = 64
    package static let shardsMax = 1024
    /// JetStream's default bound of a message.
    package static let messageBytesMax = 1 << 20
    /// A batch of events in IN.
    package static let batchBytesMax = 256 << 10
    /// At this size a batch leaves without waiting for more.
    package static let batchBytesTarget = 64 << 10
    package static let batchEventsMax = 4096
    /// A commit in LOG.
    package static let commitBytesMax = 768 << 10
    /// At this size of gathered effects a commit is closed.
    package static let commitBytesTarget = 192 << 10
    package static let commitStepsMax = 256
    /// Commits made and not yet acknowledged, per shard: one is on its way, the next is being made meanwhile.
    package static let commitsWaitingMax = 2
    /// Above this share of an input stream's bound the gateway refuses new events (percent).
    package static let inputFillPercentMax = 90

    /// Above this share of a commit log's bound its owner commits no more steps (percent). What is left, or so much when that
    /// is more, though at most half of the log, takes what ends and begins an owner, and the commits on their way.
    package static let commitFillPercentMax: UInt64 = 90
    package static let commitReserveBytes: UInt64 = 2 << 20

    /// Questions to a shard that wait for a commit.
    package static let questionsWaitingMax = 64

    // Steps
    package static let stepEventsMax = 4096
    package static let stepWakeUpsMax = 4096
    /// Customers that a step brings up to a new configuration; and when other work waits.
    package static let stepSweptMax = 2048
    package static let stepSweptBesideMax = 128
    /// What the wake-ups of one customer decide at once, and as much again what one event does.
    package static let customerEffectBytesMax = 256 << 10
    /// A step that reaches the target takes no further customer.
    package static let stepEffectBytesMax = commitBytesTarget + 2 * customerEffectBytesMax
    /// Inputs read and not applied yet, of a shard: at either bound reading pauses.
    package static let inputsWaitingMax = 256
    package static let inputsWaitingBytesMax = 4 << 20
    /// Read at once.
    package static let inputsReadMax = 16

    // Wake-ups that come late (live mode)
    /// A wake-up further behind its shard's clock is late: it gives way to those that are on time.
    package static let lateMilliseconds = Milliseconds.minute
    /// Late wake-ups of a shard run in portions, one in each of these intervals: 200 a second.
    package static let latePortion = 50
    package static let latePortionMilliseconds: Int64 = 250

    // Events
    package static let customerKeyBytesMax = 200
    package static let messageIDBytesMax = 100
    /// One event as it comes in over HTTP.
    package static let eventJSONBytesMax = 32 << 10
    /// One HTTP body, after decompression.
    package static let bodyBytesMax = 4 << 20
    package static let bodyEventsMax = 2500
    package static let orderLinesMax = 500
    package static let identifierBytesMax = 128
    package static let nameBytesMax = 256
    /// Minor units; ten billion of a currency with two digits.
    package static let moneyMax: Int64 = 1_000_000_000_000
    package static let quantityMax: Int64 = 1_000_000
    package static let unknownEventBytesMax = 16 << 10

    // Gateway
    /// Events of one customer, in the long run and at once (live mode); beyond, they are answered 429.
    package static let customerEventsPerMinute = 1200
    package static let customerEventsBurst = 3000
    /// Events remembered that were written while their request was refused, twice so many at most; and for how long.
    package static let acceptedEventsMax = 131_072
    package static let acceptedEventsMilliseconds = 10 * Milliseconds.minute
    /// Bytes that all requests of a gateway may hold together; beyond, they are answered 429.
    package static let requestBytesInFlightMax = 256 << 20
    package static let connectionsMax = 4096
    /// A body must be there within this time.
    package static let bodyMilliseconds = 30 * Milliseconds.second
    /// A shard whose events have waited so long for the log gets no more of them: they are answered 503.
    package static let logWaitMilliseconds = 5 * Milliseconds.second

    /// Repeats of a message id are known within so many ids and this time, per shard.
    package static let messageWindowCount = 65_536
    package static let messageWindowMilliseconds = Milliseconds.hour
    /// How far an event's own time may lie ahead of its arrival, in live mode.
    package static let clockAheadMilliseconds = Milliseconds.day
    /// How far it may lie behind, in live mode; older history is loaded, not sent.
    package static let clockBehindMilliseconds = 366 * Milliseconds.day
    /// Times outside of these years are refused everywhere.
    package static let timeMin = Instant(milliseconds: 315_532_800_000)  // 1980-01-01
    package static let timeMax = Instant(milliseconds: 4_102_444_800_000)  // 2100-01-01

    // Events that are set aside
    /// Kept of one: any message that a gateway or dispatcher writes is kept whole.
    package static let setAsideBytesMax = batchBytesMax
    /// Runs of numbers that were replayed and lie apart, per shard. Those behind them cannot be replayed.
    package static let replayedRangesMax = 16_384
    /// Places that ended a worker and are still to come, per shard.
    package static let attemptsKeptMax = 64
    /// Owners going event by event that end before their first, after which that one is set aside.
    package static let stalledTakeoversMax: UInt32 = 2
    /// Steps that a careful owner takes before it goes on as usual: more than two commits read messages ahead.
    package static let carefulStepsMax: UInt32 = 4096
    /// Entries of DEAD are gathered into records of this size; the last may go beyond it.
    package static let deadRecordBytesTarget = 256 << 10
    /// Of DEAD's bound, up to which letters are taken; above is room for what settles them (percent).
    package static let deadFillPercentMax: UInt64 = 90
    /// Of DEAD's bound, that must be settled for room to be made, and of what waits is moved at once (percent).
    package static let deadMovedPercentMax: UInt64 = 5
    /// Wake-ups that one commit of an owner going message by message may hold.
    package static let carefulWakeUpsMax = 64
    /// A worker that ends has so long to say at which event.
    package static let lastWordMilliseconds: Int64 = 1000

    /// Workers of a build that end while they run a recorded commit again, after which that build leaves it alone: one may
    /// have been its machine's fault.
    package static let replayTrapsMax = 2
    /// Commits of a shard that ended workers so and are remembered.
    package static let replayTrapsKeptMax = 16

    // Profile
    package static let ordersKeptMax = 64
    /// Orders beyond those, of which only time and worth are kept.
    package static let olderOrdersKeptMax = 448
    package static let productsKeptMax = 256
    /// What was bought, and what was viewed or put into the cart, one by one.
    package static let purchasesKeptMax = 256
    package static let browsingKeptMax = 128
    /// Messages that contact limits count, of one customer: the highest limit that can be set.
    package static let contactsKeptMax = 64
    package static let traitsMax = 64
    package static let traitValueBytesMax = 512
    package static let timersMax = 256
    package static let openActionsMax = 64
    package static let touchesMax = 64
    package static let productsPerShardMax = 1 << 20
    package static let profileBytesMax = 128 << 10

    // Messages between shards, identity
    /// Messages that a shard keeps until the other shards' inputs have them; at this many, or bytes, it takes no input.
    package static let outboxMessagesMax = 4096
    package static let outboxBytesMax = 4 << 20
    /// One message between shards: a whole profile on its way to another shard is the largest.
    package static let shardMessageBytesMax = 248 << 10
    /// Identifiers that one event may bear beside its customer's key.
    package static let eventIdentifiersMax = 16
    /// Identifiers of one kind that one customer may have.
    package static let identifiersPerKindMax = 5
    /// Customers that one identifier is known to be claimed by; one that more claim says nothing.
    package static let claimantsMax = 8
    /// Keys that a customer is known to have absorbed, for people.
    package static let mergedKeysMax = 16
    /// Possible duplicates that one shard lists at once.
    package static let duplicatesListedMax = 1000

    // Configuration
    package static let rulesMax = 500
    package static let segmentsMax = 500
    /// Time zones of customers beside the installation's own; limits of contact.
    package static let zonesMax = 64
    package static let contactLimitsMax = 16
    package static let templatesMax = 500
    package static let templateBytesMax = 128 << 10
    package static let periodsPerRuleMax = 200_000
    /// Pieces of a product in an order, as far as they make it last longer, and how long it can last at most.
    package static let piecesCountedMax: Int64 = 1000
    package static let lastingMillisecondsMax = 3650 * Milliseconds.day
    package static let configurationBytesMax = 960 << 10

    // Delivery
    package static let permitsInFlightMax = 256
    package static let attemptsMax = 8
    package static let renderedMessageBytesMax = 512 << 10
    /// A page of a shard's open actions is closed behind the customer with whom it reaches this size, in JSON, ...
    package static let openPageBytesTarget = 256 << 10
    /// ... or when so many customers were looked through for it.
    package static let openPageCustomersMax = 1 << 17
    /// The same for a page of a segment's members, each of whom is looked into.
    package static let memberPageCustomersMax = 1 << 14
    /// Open actions that a dispatcher remembers, over all shards; the rest is asked for again when there is room.
    package static let dispatcherActionsMax = 1_000_000

    // Liveness
    package static let heartbeatMilliseconds: Int64 = 250
    /// A coordinator that is silent for so long is taken for dead.
    package static let heartbeatTimeoutMilliseconds: Int64 = 3000
    /// A worker that is silent for so long is taken for dead: without standbys a needless move costs loading its shards,
    package static let workerTimeoutMilliseconds: Int64 = 2000
    /// with them next to nothing. Within these bounds it can be set.
    package static let workerTimeoutWithStandbysMilliseconds: Int64 = 1250
    package static let workerTimeoutMillisecondsMin: Int64 = 1000
    package static let workerTimeoutMillisecondsMax: Int64 = 60_000
    /// When all workers are silent at once, it is taken for the net's fault for so long.
    package static let allSilentMilliseconds: Int64 = 6000
    /// How often the coordinator looks who is silent.
    package static let placementTickMilliseconds: Int64 = 50
    package static let standbysMax = 2
    package static let workersMax = 256
    /// Planned moves under way at once, and how long one counts as such.
    package static let movesAtOnceMax = 4
    package static let moveMilliseconds = Milliseconds.minute
    /// How long a worker that is asked to stop waits for others to take its shards.
    package static let stopMilliseconds = 10 * Milliseconds.second
    /// A shard is handed over when its successor has followed to within so many commits of its last one, doubled each second,
    package static let handOverCommits: UInt64 = 2
    /// or after so long, when the successor has been heard within the silence that is allowed.
    package static let handOverMilliseconds = 30 * Milliseconds.second
    package static let handOverSilenceMilliseconds = Milliseconds.second
    /// A worker further than this off the log's time commits nothing.
    package static let clockDriftMillisecondsMax: Int64 = 2000
    /// How often that is checked, and for how long by the worker's own clock a check holds.
    package static let clockCheckMilliseconds = Milliseconds.second
    /// Two looks at the clock that are further apart make it unknown until the next check.
    package static let clockLooksApartMillisecondsMax: Int64 = 4000
    package static let clockCheckHoldsMilliseconds = 10 * Milliseconds.second

    // Snapshots and trimming
    package static let snapshotChunkBytes = 512 << 10
    /// Snapshots that share no part with each other: the newest, and one to fall back on.
    package static let snapshotsKept = 2
    /// Increments upon one whole snapshot.
    package static let snapshotIncrementsMax = 6
    /// A snapshot is written whole when its increments would come to more than this share of a whole one (percent).
    package static let snapshotIncrementsPercentMax = 50
    /// Chunks of one snapshot that are written at once.
    package static let snapshotChunksAtOnce = 8
    /// Shards of one worker that write a snapshot at once.
    package static let snapshotsAtOnce = 6
    /// Chunks that are encoded before others of the thread have a turn. Behind each turn there can be a step of every other
    /// shard: one chunk a turn would let the tails outgrow the snapshots under full load.
    package static let snapshotChunksPerTurn = 4
    /// Bytes of a capture that wait to be written, because its customers changed faster than they could be; above, it is
    /// given up and tried again later.
    package static let snapshotWaitingBytesMax = 256 << 20
    /// The tails of all shards of one thread may take so long to replay, together and on average.
    package static let replayMillisecondsMax: Int64 = 1000
    /// What one event or wake-up costs when it is replayed: as measured, within these bounds.
    package static let replayNanosecondsMin: Int64 = 2000
    package static let replayNanosecondsMax: Int64 = 16_000
    /// Events and wake-ups over which that is measured, at least; it follows the last so many or twice as many.
    package static let replayMeasuredMin: UInt64 = 16_384
    /// Shards of each thread that load their snapshots and replay their tails at once.
    package static let recoveriesPerThread = 2
    /// A snapshot is due at this fraction of a log's bound: while the newest snapshot gathers its increments, the log still
    /// holds what the one before needs.
    package static let snapshotLogFraction = 12
    /// In place of a bound, for logs that have none.
    package static let snapshotLogBytesUnbounded = 256 << 20
    /// After a snapshot that could not be written.
    package static let snapshotRetryMilliseconds: Int64 = 5000
    /// How often an owner whose logs are nearly full looks whether they are still, and what it can do about it.
    package static let roomLookMilliseconds: Int64 = 2000
    /// Nearly full, of IN (percent); also the gateways refuse then.
    package static let inputPressedPercent: UInt64 = 80
    /// Commit logs of which the leading coordinator asks at each upkeep whether they are nearly full.
    package static let logsLookedAtPerUpkeep = 64
    /// How often the coordinator looks whether its sums want a snapshot, and at how many of these what can be trimmed.
    package static let upkeepMilliseconds: Int64 = 1000
    package static let upkeepsPerTrimming = 60
    /// Of COORD, whose readers need only the last; less when so many take more than this share of its bound (percent).
    package static let coordinatorRecordsKept: UInt64 = 1024
    package static let coordinatorFillPercentMax: UInt64 = 50
}
