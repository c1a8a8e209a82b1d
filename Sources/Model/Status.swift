// What roles tell each other for reading only: heartbeats, status and views, as JSON. Nothing here decides anything.

/// A run of a worker: its name and a random number that is new each time it starts.
package struct WorkerID: Codable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package var name: String
    /// Hexadecimal.
    package var instance: String

    package init(name: String, instance: String) {
        self.name = name
        self.instance = instance
    }

    /// As it stands in ``Commit/owner``.
    package var description: String { name + "#" + instance }

    package init?(_ description: String) {
        guard let split = description.lastIndex(of: "#") else { return nil }
        self.init(name: String(description[..<split]), instance: String(description[description.index(after: split)...]))
    }

    package static func < (left: WorkerID, right: WorkerID) -> Bool {
        (left.name, left.instance) < (right.name, right.instance)
    }
}

/// Published by every worker on `worker.heartbeat` each ``Limits/heartbeatMilliseconds``.
package struct WorkerHeartbeat: Codable, Equatable, Sendable {
    package var worker: WorkerID
    /// Stops taking shards and gives up those it has.
    package var draining: Bool
    package var shards: [ShardStatus]
    package var residentBytes: UInt64

    package init(worker: WorkerID, draining: Bool, shards: [ShardStatus], residentBytes: UInt64) {
        self.worker = worker
        self.draining = draining
        self.shards = shards
        self.residentBytes = residentBytes
    }
}

package enum ShardPhase: String, Codable, Sendable {
    /// Waits for the owner before to release it.
    case waiting
    /// Loads a snapshot and replays the log.
    case recovering
    case serving
    /// Commits what is left and releases it.
    case releasing
    /// Stopped by a fault that stands in `problem`.
    case failed
}

package struct ShardStatus: Codable, Equatable, Sendable {
    package var shard: Int
    package var phase: ShardPhase
    package var epoch: UInt64
    /// Number of the last acknowledged commit.
    package var commit: UInt64
    /// Sequence of the last input applied, and the last one that is known to exist.
    package var inputApplied: UInt64
    package var inputLast: UInt64
    package var clockMilliseconds: Int64
    package var customers: Int
    package var openActions: Int
    /// Events applied since the shard was taken over.
    package var events: UInt64
    package var problem: String?

    package init(
        shard: Int, phase: ShardPhase, epoch: UInt64 = 0, commit: UInt64 = 0, inputApplied: UInt64 = 0, inputLast: UInt64 = 0,
        clockMilliseconds: Int64 = 0, customers: Int = 0, openActions: Int = 0, events: UInt64 = 0, problem: String? = nil
    ) {
        self.shard = shard
        self.phase = phase
        self.epoch = epoch
        self.commit = commit
        self.inputApplied = inputApplied
        self.inputLast = inputLast
        self.clockMilliseconds = clockMilliseconds
        self.customers = customers
        self.openActions = openActions
        self.events = events
        self.problem = problem
    }
}

/// One record of COORD: who leads, and who owns what from now on. Fenced like a shard's commits: each expects the
/// sequence before it, and a new coordinator's first record has an epoch one higher.
package struct CoordinatorRecord: Codable, Equatable, Sendable {
    package static let currentVersion = 1

    package var version: Int
    package var epoch: UInt64
    package var coordinator: String
    package var placement: PlacementRecord

    package init(epoch: UInt64, coordinator: String, placement: PlacementRecord) {
        version = Self.currentVersion
        self.epoch = epoch
        self.coordinator = coordinator
        self.placement = placement
    }
}

/// Who owns which shard. A worker that finds itself named takes the shard: at once when the shard's last commit is a
/// release, or its owner is not among `alive`; otherwise after that owner has released it.
package struct PlacementRecord: Codable, Equatable, Sendable {
    /// The workers that are believed to live, ascending.
    package var alive: [WorkerID]
    /// By shard number: an index into `alive`, or nil when nobody can own it.
    package var owners: [Int?]

    package init(alive: [WorkerID], owners: [Int?]) {
        self.alive = alive
        self.owners = owners
    }
}

/// Answer to `coordinator.status`.
package struct ClusterStatus: Codable, Equatable, Sendable {
    package struct Worker: Codable, Equatable, Sendable {
        package var id: WorkerID
        package var alive: Bool
        package var lastHeardMillisecondsAgo: Int64
        package var shards: [ShardStatus]
        package var residentBytes: UInt64

        package init(id: WorkerID, alive: Bool, lastHeardMillisecondsAgo: Int64, shards: [ShardStatus], residentBytes: UInt64) {
            self.id = id
            self.alive = alive
            self.lastHeardMillisecondsAgo = lastHeardMillisecondsAgo
            self.shards = shards
            self.residentBytes = residentBytes
        }
    }

    package var coordinator: String
    package var epoch: UInt64
    package var shards: Int
    /// `live` or `event-time`.
    package var timeMode: String
    package var placement: PlacementRecord
    package var workers: [Worker]
    /// Commits of all shards that the sums do not contain yet.
    package var sumsLagCommits: UInt64

    package init(
        coordinator: String, epoch: UInt64, shards: Int, timeMode: String, placement: PlacementRecord, workers: [Worker],
        sumsLagCommits: UInt64
    ) {
        self.coordinator = coordinator
        self.epoch = epoch
        self.shards = shards
        self.timeMode = timeMode
        self.placement = placement
        self.workers = workers
        self.sumsLagCommits = sumsLagCommits
    }
}

/// Answer to `coordinator.mechanics`: what each rule brought. Money in minor units of `currency`.
package struct MechanicsReport: Codable, Equatable, Sendable {
    package struct Row: Codable, Equatable, Sendable {
        /// The rule's name; its number as text when the configuration does not know it any more.
        package var rule: String
        package var title: String
        /// `regular_consumption` …; empty when unknown.
        package var mechanic: String
        /// Actions opened.
        package var executions: Int64
        /// Actions closed, by outcome.
        package var sent: Int64
        package var recorded: Int64
        package var undeliverable: Int64
        package var uncertain: Int64
        package var withdrawn: Int64
        /// Wanted, and not done: by reason's text.
        package var suppressed: [String: Int64]
        /// Actions that brought at least one order; orders; their money.
        package var conversions: Int64
        package var sales: Int64
        package var revenue: Int64
        package var timersArmed: Int64

        package init(rule: String, title: String, mechanic: String) {
            self.rule = rule
            self.title = title
            self.mechanic = mechanic
            executions = 0
            sent = 0
            recorded = 0
            undeliverable = 0
            uncertain = 0
            withdrawn = 0
            suppressed = [:]
            conversions = 0
            sales = 0
            revenue = 0
            timersArmed = 0
        }
    }

    package var currency: String
    package var currencyDigits: Int
    package var rows: [Row]
    /// Over all customers, attributed or not.
    package var customers: Int64
    package var orders: Int64
    package var revenue: Int64
    package var events: Int64
    package var repeats: Int64
    package var setAside: Int64
    /// Commits of all shards that the sums do not contain yet.
    package var lagCommits: UInt64

    package init(currency: String, currencyDigits: Int, rows: [Row], lagCommits: UInt64) {
        self.currency = currency
        self.currencyDigits = currencyDigits
        self.rows = rows
        customers = 0
        orders = 0
        revenue = 0
        events = 0
        repeats = 0
        setAside = 0
        self.lagCommits = lagCommits
    }
}

/// Answer to `shard.<n>.open`: the actions that still want an outcome.
package struct OpenActions: Codable, Equatable, Sendable {
    package struct Action: Codable, Equatable, Sendable {
        /// ``ActionID`` as text.
        package var action: String
        package var customer: String
        package var rule: UInt32
        /// ``Channel/name``.
        package var channel: String
        package var deadlineMilliseconds: Int64
        /// The attempt that has the permit, as ``AttemptID`` (instance hexadecimal); nil when nobody has.
        package var grantedInstance: String?
        package var grantedNumber: UInt64?

        package init(
            action: String, customer: String, rule: UInt32, channel: String, deadlineMilliseconds: Int64,
            grantedInstance: String? = nil, grantedNumber: UInt64? = nil
        ) {
            self.action = action
            self.customer = customer
            self.rule = rule
            self.channel = channel
            self.deadlineMilliseconds = deadlineMilliseconds
            self.grantedInstance = grantedInstance
            self.grantedNumber = grantedNumber
        }
    }

    /// Number of the acknowledged commit this is as of; the LOG sequence to follow from is one higher.
    package var commit: UInt64
    package var actions: [Action]

    package init(commit: UInt64, actions: [Action]) {
        self.commit = commit
        self.actions = actions
    }
}

/// Request to `shard.<n>.await`: answered when the shard has committed that input and, where asked, every action has its
/// outcome; the answer is a ``ShardStatus``. One that cannot be met within `timeoutMilliseconds` answers with what is.
package struct AwaitRequest: Codable, Equatable, Sendable {
    package var inputSequence: UInt64
    package var withoutOpenActions: Bool
    package var timeoutMilliseconds: Int64

    package init(inputSequence: UInt64, withoutOpenActions: Bool, timeoutMilliseconds: Int64) {
        self.inputSequence = inputSequence
        self.withoutOpenActions = withoutOpenActions
        self.timeoutMilliseconds = timeoutMilliseconds
    }
}

/// Answer to `shard.<n>.customer` (the key's UTF-8 is the request): one customer's profile as it is now. `found` is false
/// for a customer the shard does not know; then the rest is empty. Times are milliseconds, money minor units.
package struct CustomerView: Codable, Equatable, Sendable {
    package struct Order: Codable, Equatable, Sendable {
        package var id: String
        package var placedMilliseconds: Int64
        package var revenue: Int64
        package var state: String
        /// The rule that has its credit.
        package var creditedRule: String?

        package init(id: String, placedMilliseconds: Int64, revenue: Int64, state: String, creditedRule: String?) {
            self.id = id
            self.placedMilliseconds = placedMilliseconds
            self.revenue = revenue
            self.state = state
            self.creditedRule = creditedRule
        }
    }

    package struct Timer: Codable, Equatable, Sendable {
        package var rule: String
        package var subject: String
        package var dueMilliseconds: Int64

        package init(rule: String, subject: String, dueMilliseconds: Int64) {
            self.rule = rule
            self.subject = subject
            self.dueMilliseconds = dueMilliseconds
        }
    }

    package struct Action: Codable, Equatable, Sendable {
        package var action: String
        package var rule: String
        package var channel: String
        /// `open`, `permitted`, or how it ended.
        package var state: String
        package var timeMilliseconds: Int64

        package init(action: String, rule: String, channel: String, state: String, timeMilliseconds: Int64) {
            self.action = action
            self.rule = rule
            self.channel = channel
            self.state = state
            self.timeMilliseconds = timeMilliseconds
        }
    }

    package var customer: String
    package var shard: Int
    package var found: Bool
    package var traits: [String: String]
    package var consents: [String: Bool]
    package var orderCount: Int64
    package var orderSum: Int64
    package var currency: String
    package var firstOrderMilliseconds: Int64?
    package var lastOrderMilliseconds: Int64?
    package var views: Int64
    package var clicks: Int64
    package var segments: [String]
    package var orders: [Order]
    package var timers: [Timer]
    package var actions: [Action]

    package init(customer: String, shard: Int, found: Bool, currency: String) {
        self.customer = customer
        self.shard = shard
        self.found = found
        traits = [:]
        consents = [:]
        orderCount = 0
        orderSum = 0
        self.currency = currency
        views = 0
        clicks = 0
        segments = []
        orders = []
        timers = []
        actions = []
    }
}
