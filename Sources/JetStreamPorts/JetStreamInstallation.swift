internal import FoundationEssentials
package import Logging
package import Model
package import NATS

package struct InstallationError: Error, Equatable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        /// There is one with other settings.
        case exists
        /// There is none under this prefix, or its creation was not finished.
        case missing
        /// The servers cannot be trusted with what is asked for.
        case serverTooOld
        /// The arguments or the stored settings make no sense.
        case invalid
        /// NATS could not be asked, or refused.
        case unavailable
    }

    package let code: Code
    /// A sentence for people.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}

/// An installation in JetStream: its streams, its fixed settings, and the ports over them.
package struct JetStreamInstallation: Sendable {
    package let settings: Installation
    /// Begins the names of all its streams and subjects.
    package let prefix: String
    package let logs: JetStreamLogStore
    package let snapshots: JetStreamSnapshotStore
    package let messaging: NATSMessaging

    init(settings: Installation, jetStream: JetStream, names: StreamNames, appendTimeout: Duration) {
        self.settings = settings
        prefix = names.prefix
        logs = JetStreamLogStore(jetStream, names: names, appendTimeout: appendTimeout)
        snapshots = JetStreamSnapshotStore(jetStream, names: names)
        messaging = NATSMessaging(jetStream.connection, names: names)
    }

    /// Creates the streams of an installation, or confirms and completes those of one with the same settings.
    ///
    /// - Parameters:
    ///   - prefix: begins the names of all streams and subjects: 1 to 32 of `[a-z0-9-]`.
    ///   - appendTimeout: after so long without an answer an append is `ambiguous`.
    package static func create(
        _ settings: Installation, bounds: StreamBounds = StreamBounds(), prefix: String = "reprise",
        connection: NATSConnection, appendTimeout: Duration = .seconds(5), log: Logger
    ) async throws(InstallationError) -> JetStreamInstallation {
        let names = try checkedNames(prefix)
        let jetStream = JetStream(connection, log: log)
        try ServerRequirement.check(await connection.serverVersions(), replicas: settings.replicas)
        let plan = InstallationPlan(names: names, settings: settings, bounds: bounds)
        try await asking("creating the installation \(prefix)") { () async throws(NATSError) in
            try await jetStream.createOrUpdate(plan.settingsStream)
        }
        let record = SettingsRecord(settings)
        let stored = try await writeSettings(record, jetStream: jetStream, names: names)
        guard stored.restoring == nil else { throw unfinishedRestore(prefix) }
        guard stored == record else {
            throw InstallationError(
                .exists,
                "The installation \(prefix) exists with \(stored.sentence); asked for were \(record.sentence). "
                    + "These settings are fixed: use another prefix, or the same settings.")
        }
        try await asking("creating the streams of \(prefix)") { () async throws(NATSError) in
            try await jetStream.createOrUpdate(plan.streams, atOnce: 16)
        }
        try await markComplete(record, jetStream: jetStream, names: names)
        return JetStreamInstallation(settings: settings, jetStream: jetStream, names: names, appendTimeout: appendTimeout)
    }

    /// Finds an installation that was created.
    package static func open(
        prefix: String = "reprise", connection: NATSConnection, appendTimeout: Duration = .seconds(5), log: Logger
    ) async throws(InstallationError) -> JetStreamInstallation {
        let names = try checkedNames(prefix)
        let jetStream = JetStream(connection, log: log)
        let stored: SettingsRecord? = try await readSettings(jetStream: jetStream, names: names)
        guard let stored else {
            throw InstallationError(.missing, "There is no installation \(prefix) on this NATS server yet: create it first.")
        }
        guard stored.restoring == nil else { throw unfinishedRestore(prefix) }
        guard stored.complete == true else {
            throw InstallationError(
                .missing, "The creation of the installation \(prefix) was not finished: create it again with \(stored.sentence).")
        }
        let settings = try stored.installation()
        try ServerRequirement.check(await connection.serverVersions(), replicas: settings.replicas)
        return JetStreamInstallation(settings: settings, jetStream: jetStream, names: names, appendTimeout: appendTimeout)
    }

    private static func unfinishedRestore(_ prefix: String) -> InstallationError {
        InstallationError(
            .missing,
            "The installation \(prefix) is being restored, or that was not finished: restore the same backup again, or throw "
                + "away what is there with --discard-unfinished.")
    }

    // MARK: Settings

    static func checkedNames(_ prefix: String) throws(InstallationError) -> StreamNames {
        let names = StreamNames(prefix: prefix)
        guard names.isValid() else {
            throw InstallationError(.invalid, "The prefix \"\(prefix)\" is not 1 to 32 of a-z, 0-9 and -.")
        }
        return names
    }

    static func readSettings(
        jetStream: JetStream, names: StreamNames
    ) async throws(InstallationError) -> SettingsRecord? {
        let last = try await asking("reading the installation's settings") { () async throws(NATSError) -> StreamRecord? in
            do throws(NATSError) {
                return try await jetStream.lastMessage(on: names.settingsSubject, of: names.settingsStream)
            } catch {
                if error.apiCode == APICode.streamNotFound { return nil }
                throw error
            }
        }
        return try last.map { record throws(InstallationError) in try SettingsRecord.decoded(record.payload) }
    }

    /// Writes the settings unless there are some; returns those that stand.
    private static func writeSettings(
        _ record: SettingsRecord, jetStream: JetStream, names: StreamNames
    ) async throws(InstallationError) -> SettingsRecord {
        if let stored = try await readSettings(jetStream: jetStream, names: names) { return stored.withoutState }
        let error = await append(record, expecting: 0, jetStream: jetStream, names: names)
        guard let stored = try await readSettings(jetStream: jetStream, names: names) else {
            throw InstallationError(
                .unavailable, "The installation's settings could not be written: \(error?.message ?? "they are not there").")
        }
        return stored.withoutState
    }

    static func markComplete(
        _ record: SettingsRecord, jetStream: JetStream, names: StreamNames
    ) async throws(InstallationError) {
        var complete = record
        complete.complete = true
        if try await readSettings(jetStream: jetStream, names: names) == complete { return }
        let error = await append(complete, expecting: nil, jetStream: jetStream, names: names)
        guard try await readSettings(jetStream: jetStream, names: names) == complete else {
            throw InstallationError(
                .unavailable, "The installation's settings could not be completed: \(error?.message ?? "they are not there").")
        }
    }

    static func append(
        _ record: SettingsRecord, expecting: UInt64?, jetStream: JetStream, names: StreamNames
    ) async -> NATSError? {
        let publisher = StreamPublisher(jetStream.connection, subject: names.settingsSubject, timeout: .seconds(5))
        let payload: [UInt8]
        do throws(NATSError) {
            payload = try record.encoded()
        } catch {
            return error
        }
        return await withCheckedContinuation { continuation in
            publisher.publish(payload, expectedLast: expecting, id: nil) { result in
                if case .failure(let error) = result {
                    continuation.resume(returning: error)
                } else {
                    continuation.resume(returning: nil)
                }
            }
        }
    }

    static func asking<Value>(
        _ what: String, _ body: () async throws(NATSError) -> Value
    ) async throws(InstallationError) -> Value {
        do throws(NATSError) {
            return try await body()
        } catch {
            if error.code == .noResponders {
                throw InstallationError(
                    .unavailable, "NATS answers, but JetStream does not: start nats-server with -js (\(what)).")
            }
            if error.apiCode == APICode.storageExceeded {
                throw InstallationError(
                    .unavailable,
                    "The server has not enough storage for \(what) (\(error.message)): the bounds of all streams "
                        + "together must fit into its max_file_store. Give the streams smaller bounds or the server more.")
            }
            throw InstallationError(.unavailable, "NATS could not be used for \(what): \(error.message).")
        }
    }
}
