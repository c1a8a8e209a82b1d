// What roles tell each other for reading only, as JSON. Nothing here decides anything.

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
    package private(set) var version = MessageVersion()
    package var worker: WorkerID
    /// Version of the deciding code that this worker runs.
    package var brain: UInt32
    /// Which program it is: a hash of it.
    package var build: String
    /// Stops taking shards and gives up those it has.
    package var draining: Bool
    package var shards: [ShardStatus]
    package var residentBytes: UInt64

    package init(
        worker: WorkerID, brain: UInt32, build: String = "unnamed", draining: Bool, shards: [ShardStatus], residentBytes: UInt64
    ) {
        self.worker = worker
        self.brain = brain
        self.build = build
        self.draining = draining
        self.shards = shards
        self.residentBytes = residentBytes
    }
}
