internal import FoundationEssentials
package import Logging
package import Model
package import NATS
package import Ports

/// Streams into which an installation is put back. Until ``finish(_:)`` its settings say so, and nobody can open it.
///
///     nothing --begin--> being restored from a backup --finish--> complete
///                          |  ^-- begin, the same backup: goes on where it stopped
///                          '--begin, another one: refused; discard: nothing
package struct InstallationRestore: InstallationRestoring {
    private let names: StreamNames
    private let jetStream: JetStream
    private let installation: JetStreamInstallation
    private let record: SettingsRecord

    package var snapshots: any SnapshotStore { installation.snapshots }

    private static let triesMax = 10

    /// Makes the streams, or finds those that a restore of the same backup made before it ended.
    ///
    /// - Parameter backup: names the backup.
    package static func begin(
        _ settings: Installation, backup: String, bounds: StreamBounds = StreamBounds(), prefix: String = "reprise",
        connection: NATSConnection, log: Logger
    ) async throws(InstallationError) -> InstallationRestore {
        let names = try JetStreamInstallation.checkedNames(prefix)
        let jetStream = JetStream(connection, log: log)
        try ServerRequirement.check(await connection.serverVersions(), replicas: settings.replicas)
        var record = SettingsRecord(settings)
        record.restoring = backup
        let plan = InstallationPlan(names: names, settings: settings, bounds: bounds)
        if try await !isUnfinished(record, jetStream, names) {
            try await JetStreamInstallation.asking("beginning to restore \(prefix)") { () async throws(NATSError) in
                try await jetStream.createOrUpdate(plan.settingsStream)
            }
            let error = await JetStreamInstallation.append(record, expecting: 0, jetStream: jetStream, names: names)
            guard try await isUnfinished(record, jetStream, names) else {
                throw InstallationError(
                    .unavailable, "The settings could not be written: \(error?.message ?? "they are not there").")
            }
        }
        try await JetStreamInstallation.asking("creating the streams of \(prefix)") { () async throws(NATSError) in
            try await jetStream.createOrUpdate(plan.streams, atOnce: 16)
        }
        let installation = JetStreamInstallation(
            settings: settings, jetStream: jetStream, names: names, appendTimeout: .seconds(10))
        return InstallationRestore(names: names, jetStream: jetStream, installation: installation, record: record)
    }

    /// Whether this very restore was begun; false = there is nothing at all. Throws when there is anything else.
    private static func isUnfinished(
        _ record: SettingsRecord, _ jetStream: JetStream, _ names: StreamNames
    ) async throws(InstallationError) -> Bool {
        guard let stored = try await JetStreamInstallation.readSettings(jetStream: jetStream, names: names) else {
            let others = try await JetStreamInstallation.asking("looking for streams") { () async throws(NATSError) in
                try await jetStream.streamNames(taking: "\(names.prefix).>").filter { $0 != names.settingsStream }
            }
            guard others.isEmpty else {
                throw InstallationError(
                    .exists, "There are streams of an installation \(names.prefix), as \(others[0]); a restore wants none.")
            }
            return false
        }
        if stored == record { return true }
        throw InstallationError(
            .exists,
            stored.restoring == nil
                ? "There is an installation \(names.prefix) on this server; a restore wants a server, or a prefix, without."
                : "On this server a restore of another backup, or with other settings, was not finished: restore that one "
                    + "again, or throw away what is there with --discard-unfinished.")
    }

    /// Deletes what a restore that was not finished has left; nothing else is ever deleted. Returns whether there was any.
    package static func discardUnfinished(
        prefix: String = "reprise", connection: NATSConnection, log: Logger
    ) async throws(InstallationError) -> Bool {
        let names = try JetStreamInstallation.checkedNames(prefix)
        let jetStream = JetStream(connection, log: log)
        guard let stored = try await JetStreamInstallation.readSettings(jetStream: jetStream, names: names) else { return false }
        guard stored.restoring != nil else {
            throw InstallationError(.exists, "The installation \(prefix) is no unfinished restore; it is left as it is.")
        }
        try await JetStreamInstallation.asking("discarding an unfinished restore") { () async throws(NATSError) in
            // The settings last: until then it is known for what it is.
            for name in try await jetStream.streamNames(taking: "\(prefix).>") where name != names.settingsStream {
                try await jetStream.deleteStream(name)
            }
            try await jetStream.deleteStream(names.settingsStream)
        }
        return true
    }

    // MARK: InstallationRestoring

    package func begin(_ log: LogName, first: UInt64) async throws -> UInt64 {
        let stream = names.stream(log)
        // Longer in one function, and Swift 6.3.1's optimizer crashes. Purging an empty stream up to a sequence makes that the
        // next one.
        if first > 1, try await jetStream.streamState(stream).last == 0 { try await jetStream.purge(stream, below: first) }
        let state = try await jetStream.streamState(stream)
        guard state.first == first else {
            throw InstallationError(.invalid, "\(stream) begins at \(state.first), not at \(first): discard it and begin anew.")
        }
        return state.last
    }

    package func append(_ records: [LogRecord], to log: LogName) async throws {
        let publisher = StreamPublisher(jetStream.connection, subject: names.subject(log), timeout: .seconds(10))
        var left = records[...]
        var failure: NATSError?
        for _ in 0..<Self.triesMax {
            failure = await publish(left, publisher)
            guard let failure else { return }
            if failure.apiCode == APICode.storeFailed {
                throw InstallationError(.unavailable, "\(names.stream(log)) took no more: \(failure.message)")
            }
            if failure.apiCode == APICode.wrongLastSequence, records.first.map({ $0.sequence > 1 }) ?? false,
                try await jetStream.streamState(names.stream(log)).bytes == 0
            {
                // 2.9.10 says that the purged stream begins there, and does not keep to it.
                throw InstallationError(
                    .serverTooOld,
                    "This nats-server cannot begin \(names.stream(log)) at a later record, which a backup of trimmed logs wants; "
                        + "2.15.1 can. Throw away what is there with --discard-unfinished.")
            }
            // Which of them are there, the stream itself says.
            try await Task.sleep(for: .milliseconds(500))
            let last = try await jetStream.streamState(names.stream(log)).last
            left = left.drop { $0.sequence <= last }
            if left.isEmpty { return }
        }
        throw InstallationError(.unavailable, "\(names.stream(log)) could not be written: \(failure?.message ?? "")")
    }

    /// Each expects the one before it: whatever fails, what is there is a beginning of the log. Returns the first failure.
    private func publish(_ records: ArraySlice<LogRecord>, _ publisher: StreamPublisher) async -> NATSError? {
        await withTaskGroup(of: NATSError?.self) { group in
            // Handed over in order here; only the answers are waited for in tasks.
            let answers = records.map { record in
                let (stream, continuation) = AsyncStream<NATSError?>.makeStream()
                publisher.publish(
                    record.payload, expectedLast: record.sequence - 1, id: nil,
                    timeNanoseconds: record.time.milliseconds * 1_000_000
                ) { result in
                    if case .failure(let error) = result { continuation.yield(error) } else { continuation.yield(nil) }
                    continuation.finish()
                }
                return stream
            }
            for answer in answers {
                group.addTask {
                    for await failure in answer { return failure }
                    return nil
                }
            }
            var first: NATSError?
            for await failure in group { first = first ?? failure }
            return first
        }
    }

    package func finish(_ hold: DeliveryRecord) async throws {
        if try await installation.logs.last(of: .delivery) == nil {
            _ = try await installation.logs.append(to: .delivery, Array(try JSONEncoder().encode(hold)), expecting: 0)
        }
        var complete = record
        complete.restoring = nil
        try await JetStreamInstallation.markComplete(complete, jetStream: jetStream, names: names)
    }
}
