package import Logging
package import Model
internal import Placement
package import Ports

/// The coordinator: says who owns which shard, and adds up what the shards decided.
///
/// Several may run; the log COORD lets one lead. Each folds every commit log into a database of its own, so that a
/// successor's sums are exact at once.
package enum CoordinatorRole {
    package struct Options: Sendable {
        /// `[a-z0-9-]`, unique among the coordinators.
        package var name: String
        /// Of this run, random.
        package var instance: String
        /// The SQLite database of this coordinator alone; made when missing. Deleting it makes it add up anew.
        package var databasePath: String
        package var installation: Installation
        /// Bytes of a shard's LOG after which the sums want a snapshot at the latest.
        package var snapshotEveryBytes: Int
        /// Workers that follow each shard without owning it, 0 to ``Limits/standbysMax``.
        package var standbys: Int
        /// After so long a silent worker's shards go to others.
        package var workerTimeoutMilliseconds: Int64

        /// Where the database does its work.
        package var databaseWork: DatabaseWork

        package init(
            name: String, instance: String = String(UInt64.random(in: .min ... .max), radix: 16), databasePath: String,
            installation: Installation, snapshotEveryBytes: Int = .max, standbys: Int = 0,
            workerTimeoutMilliseconds: Int64? = nil, databaseWork: DatabaseWork = .onItsQueue
        ) {
            self.name = name
            self.instance = instance
            self.databasePath = databasePath
            self.installation = installation
            self.snapshotEveryBytes = snapshotEveryBytes
            self.standbys = standbys
            self.workerTimeoutMilliseconds =
                workerTimeoutMilliseconds
                ?? (standbys > 0 ? Limits.workerTimeoutWithStandbysMilliseconds : Limits.workerTimeoutMilliseconds)
            self.databaseWork = databaseWork
        }
    }

    package enum DatabaseWork: Sendable {
        /// On a queue of its own: a slow disk holds up nobody.
        case onItsQueue
        /// In the caller's job, which it blocks: for simulations, in which one thread does everything in one order.
        case inPlace
    }

    /// Runs until its task is cancelled, then stops cleanly. Throws when the database or COORD cannot be used.
    package static func run(
        options: Options, logs: any LogStore, snapshots: any SnapshotStore, messaging: any Messaging, clock: any WallClock,
        log: Logger
    ) async throws {
        let sums = SumsSnapshots(
            store: snapshots, logs: logs, clock: clock, shards: options.installation.shards.shards, work: options.databaseWork,
            log: log)
        while true {
            do {
                return try await run(options, sums, logs, messaging, clock, log)
            } catch let outdated as SumsFolder.Outdated {
                log.warning("the coordinator begins anew", metadata: ["because": "\(outdated.description)"])
            }
        }
    }

    /// Tries until the logs and snapshots can be asked, or the task is cancelled.
    private static func prepare(_ sums: SumsSnapshots, _ path: String) async throws {
        while true {
            do { return try await sums.prepare(path) } catch let error as LogError {
                sums.log.warning("the snapshots of the sums cannot be asked for", metadata: ["error": "\(error)"])
                try await sums.clock.sleep(until: sums.clock.now() + Limits.heartbeatMilliseconds)
            }
        }
    }

    private static func run(
        _ options: Options, _ sums: SumsSnapshots, _ logs: any LogStore, _ messaging: any Messaging, _ clock: any WallClock,
        _ log: Logger
    ) async throws {
        let shards = options.installation.shards.shards
        do { try await prepare(sums, options.databasePath) } catch is CancellationError { return }
        let database = try await SumsDatabase(path: options.databasePath, shards: shards, work: options.databaseWork)
        let positions = try await database.positions()
        let progress = SumsProgress(contained: positions.map(\.number))
        let core = CoordinatorCore(
            name: options.name, instance: options.instance, shards: shards, now: clock.now(),
            settings: CoordinatorCore.Settings(
                standbys: options.standbys,
                membership: Membership.Settings(deadAfterMilliseconds: options.workerTimeoutMilliseconds)))
        let conductor = Conductor(core: core, logs: logs, messaging: messaging, clock: clock, progress: progress, log: log)
        let configuration = ConfigurationFollower()
        let folder = SumsFolder(
            logs: logs, database: database, progress: progress, shards: shards, clock: clock, log: log,
            canReload: { try await sums.reaches($0, first: $1) })
        let upkeep = Upkeep(
            snapshots: sums, database: database, path: options.databasePath, progress: progress,
            shards: options.installation.shards, snapshotEveryBytes: options.snapshotEveryBytes,
            isLeading: { conductor.view.isLeading })
        let service = CoordinatorService(
            conductor: conductor, database: database, progress: progress, configuration: configuration,
            installation: options.installation, messaging: messaging, clock: clock, log: log)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await conductor.run() }
                group.addTask { try await folder.run(from: positions) }
                group.addTask { try await configuration.run(logs: logs, clock: clock, log: log) }
                group.addTask { try await upkeep.run() }
                group.addTask { try await serve(service, while: conductor.leadership) }
                defer { group.cancelAll() }
                // The folder ends when every shard's log is damaged; placing goes on. The first error ends all.
                while try await group.next() != nil {}
            }
        } catch is CancellationError {
            log.info("the coordinator stops")
        } catch {
            try? await database.close()
            throw error
        }
        try await database.close()
    }

    private static func serve(_ service: CoordinatorService, while leadership: AsyncStream<Bool>) async throws {
        var registrations: [any Registration] = []
        defer { for registration in registrations { registration.close() } }
        for await leads in leadership {
            for registration in registrations { registration.close() }
            registrations = leads ? try await register(service) : []
        }
    }

    /// Tries until it succeeds or the task is cancelled.
    private static func register(_ service: CoordinatorService) async throws -> [any Registration] {
        while true {
            do { return try await service.register() } catch let error as RequestError {
                service.log.warning("questions cannot be taken now", metadata: ["error": "\(error)"])
                try await service.clock.sleep(until: service.clock.now() + Limits.heartbeatMilliseconds)
            }
        }
    }
}
