package import Logging
package import Model
package import Ports

/// What happened to each customer and what was decided about it, for people: timelines, decision logs, and the lists behind
/// the coordinator's figures. Decides nothing, and nothing depends on it.
///
/// It folds every shard's LOG, and IN as far as LOG says, into one SQLite file a shard; rows and position change in one
/// transaction. Several may run, each with a folder of its own: all answer, and the first answer counts. A folder that is
/// lost is folded anew from what the logs still have, or copied from another copy while that is stopped.
package enum HistoryRole {
    package struct Options: Sendable {
        /// Folder of this copy alone; it must be there.
        package var folder: String
        package var installation: Installation
        /// How long rows are kept, by the shards' clocks: 1 to ``Limits/historyDaysMax``.
        package var days: Int
        /// Its number, 0 to ``Limits/historyCopiesMax`` - 1, no other copy's: under it the copy holds the logs.
        package var copy: UInt8

        package init(folder: String, installation: Installation, days: Int = Limits.historyDaysDefault, copy: UInt8 = 0) {
            self.folder = folder
            self.installation = installation
            self.days = days
            self.copy = copy
        }
    }

    /// Runs until its task is cancelled, then stops cleanly. Throws when a store cannot be used.
    package static func run(
        options: Options, logs: any LogStore, snapshots: any SnapshotStore, messaging: any Messaging, clock: any WallClock,
        log: Logger
    ) async throws {
        let map = options.installation.shards
        var stores: [ShardHistory] = []
        do {
            for shard in map.all {
                let database = try await HistoryDatabase(
                    path: options.folder + "/history-\(shard).sqlite", shard: shard, shards: map.shards)
                stores.append(
                    try await ShardHistory(
                        database, logs: logs, clock: clock, log: log, isLive: options.installation.timeMode == .live,
                        keptMilliseconds: Int64(options.days) * Milliseconds.day))
            }
            let holder = LogHolder(stores: stores, snapshots: snapshots, copy: options.copy, clock: clock, log: log)
            try await run(stores, holder, HistoryService(stores: stores, map: map, messaging: messaging, log: log), clock)
        } catch is CancellationError {
            log.info("the history stops")
        } catch {
            for store in stores { try? await store.database.close() }
            throw error
        }
        for store in stores { try await store.database.close() }
    }

    private static func run(
        _ stores: [ShardHistory], _ holder: LogHolder, _ service: HistoryService, _ clock: any WallClock
    ) async throws {
        let registrations = try await register(service, clock)
        defer { for registration in registrations { registration.close() } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for store in stores { group.addTask { try await store.run() } }
            // Shards whose logs are damaged end; the questions are answered all the same, until the role is cancelled.
            group.addTask { try await holder.run() }
            defer { group.cancelAll() }
            while try await group.next() != nil {}
        }
    }

    /// Tries until it succeeds or the task is cancelled.
    private static func register(_ service: HistoryService, _ clock: any WallClock) async throws -> [any Registration] {
        while true {
            do { return try await service.register() } catch let error as RequestError {
                service.log.warning("questions cannot be taken now", metadata: ["error": "\(error)"])
                try await clock.sleep(until: clock.now() + Limits.heartbeatMilliseconds)
            }
        }
    }
}
