internal import FoundationEssentials
package import Logging

/// JetStream's API: requests in JSON over core NATS. Safe to use from any thread; nothing blocks.
package struct JetStream: Sendable {
    package let connection: NATSConnection
    /// For requests that are answered by reading or by small changes.
    package var timeout: Duration = .seconds(5)
    let log: Logger
    /// Part of the names of our consumers.
    let nonce: String

    package init(_ connection: NATSConnection, log: Logger) {
        self.connection = connection
        self.log = log
        nonce = String(connection.readerPrefix.split(separator: ".")[1])
    }

    func subject(_ operation: String) -> String { "$JS.API.\(operation)" }

    /// Asks and decodes. Throws `api` when JetStream answers with an error.
    func call<Answer: Decodable>(
        _ operation: String, _ body: [UInt8] = [], as type: Answer.Type, timeout: Duration? = nil
    ) async throws(NATSError) -> Answer {
        let message = try await connection.request(subject(operation), body, timeout: timeout ?? self.timeout)
        return try JSONForm.decode(message.payload, as: type, from: operation)
    }

    // MARK: Streams

    /// Makes a stream, or confirms that it exists as asked for. Replicated ones take seconds.
    package func createStream(_ configuration: StreamConfiguration) async throws(NATSError) {
        let body = try JSONForm.encode(configuration)
        _ = try await call("STREAM.CREATE.\(configuration.name)", body, as: StreamAnswer.self, timeout: .seconds(30))
    }

    package func updateStream(_ configuration: StreamConfiguration) async throws(NATSError) {
        let body = try JSONForm.encode(configuration)
        _ = try await call("STREAM.UPDATE.\(configuration.name)", body, as: StreamAnswer.self, timeout: .seconds(30))
    }

    package func deleteStream(_ name: String) async throws(NATSError) {
        _ = try await call("STREAM.DELETE.\(name)", as: SuccessAnswer.self, timeout: .seconds(30))
    }

    /// Nil when there is no such stream.
    package func streamConfiguration(_ name: String) async throws(NATSError) -> StreamConfiguration? {
        do throws(NATSError) {
            return try await call("STREAM.INFO.\(name)", as: StreamAnswer.self).config
        } catch {
            if error.apiCode == APICode.streamNotFound { return nil }
            throw error
        }
    }

    /// Of the streams that take any subject of this filter; of many, some.
    package func streamNames(taking filter: String) async throws(NATSError) -> [String] {
        try await call("STREAM.NAMES", JSONForm.encode(["subject": filter]), as: StreamNamesAnswer.self).streams ?? []
    }

    package func streamState(_ name: String) async throws(NATSError) -> StreamState {
        try await call("STREAM.INFO.\(name)", as: StreamAnswer.self).streamState
    }

    /// The subjects in a stream that match, with their numbers of messages. For few subjects: up to 100,000.
    package func subjects(of stream: String, matching filter: String) async throws(NATSError) -> [String: UInt64] {
        let body = try JSONForm.encode(["subjects_filter": filter])
        return try await call("STREAM.INFO.\(stream)", body, as: StreamAnswer.self).state.subjects ?? [:]
    }

    /// Deletes all messages below `sequence`, which must be at most one above the last.
    package func purge(_ stream: String, below sequence: UInt64) async throws(NATSError) {
        let body = try JSONForm.encode(["seq": sequence])
        _ = try await call("STREAM.PURGE.\(stream)", body, as: SuccessAnswer.self, timeout: .seconds(30))
    }

    /// Deletes all messages on the subjects that match.
    package func purge(_ stream: String, matching filter: String) async throws(NATSError) {
        let body = try JSONForm.encode(["filter": filter])
        _ = try await call("STREAM.PURGE.\(stream)", body, as: SuccessAnswer.self, timeout: .seconds(30))
    }

    // MARK: Messages

    /// By the stream's leader: no acknowledged message is missed.
    package func message(_ sequence: UInt64, of stream: String) async throws(NATSError) -> StreamRecord? {
        try await message(JSONForm.encode(["seq": sequence]), of: stream)
    }

    /// The newest message on a subject, by the stream's leader.
    package func lastMessage(on subject: String, of stream: String) async throws(NATSError) -> StreamRecord? {
        try await message(JSONForm.encode(["last_by_subj": subject]), of: stream)
    }

    private func message(_ body: [UInt8], of stream: String) async throws(NATSError) -> StreamRecord? {
        do throws(NATSError) {
            let answer = try await call("STREAM.MSG.GET.\(stream)", body, as: MessageAnswer.self).message
            let headers = answer.hdrs.map { String(decoding: $0, as: UTF8.self) } ?? ""
            guard let time = RecordTime.nanoseconds(headers: headers) ?? RFC3339.nanoseconds(answer.time) else {
                throw NATSError(.invalid, "\(stream): a message's time cannot be read: \(answer.time)")
            }
            return StreamRecord(
                sequence: answer.seq, timeNanoseconds: time, payload: answer.data.map { [UInt8]($0) } ?? [])
        } catch {
            if error.apiCode == APICode.messageNotFound { return nil }
            throw error
        }
    }

    /// The message id under which a message was published; nil when there is no such message, or it has none.
    package func messageID(_ sequence: UInt64, of stream: String) async throws(NATSError) -> String? {
        do throws(NATSError) {
            let body = try JSONForm.encode(["seq": sequence])
            guard let headers = try await call("STREAM.MSG.GET.\(stream)", body, as: MessageAnswer.self).message.hdrs else {
                return nil
            }
            let name = "Nats-Msg-Id:"
            let line = String(decoding: headers, as: UTF8.self).split(separator: "\r\n").first { $0.hasPrefix(name) }
            return line.map { String($0.dropFirst(name.count).drop { $0 == " " }) }
        } catch {
            if error.apiCode == APICode.messageNotFound { return nil }
            throw error
        }
    }

    /// The newest message on a subject as any replica has it, which may be an older one or none, in its plain form: for what
    /// never changes once it is there. The stream must allow direct reading.
    package func anyReplicaMessage(on subject: String, of stream: String) async throws(NATSError) -> [UInt8]? {
        let answer = try await connection.request(self.subject("DIRECT.GET.\(stream).\(subject)"), [], timeout: timeout)
        return answer.status == nil ? answer.payload : nil
    }

    // MARK: Consumers

    /// Makes a consumer for one reader: kept in memory, no acknowledgements, gone a minute after its reader. Returns how many
    /// messages it has to deliver.
    func createReaderConsumer(name: String, stream: String, from sequence: UInt64) async throws(NATSError) -> UInt64 {
        let body = try JSONForm.encode(ConsumerRequest(stream_name: stream, config: .reader(name: name, from: sequence)))
        return try await call("CONSUMER.CREATE.\(stream).\(name)", body, as: ConsumerAnswer.self).num_pending
    }
}

/// JetStream's error codes that mean something to us.
package enum APICode {
    package static let streamNotFound = 10059
    package static let messageNotFound = 10037
    /// A stream of that name exists with other settings.
    package static let streamNameInUse = 10058
    /// The expected last sequence is not the last one; the second form is of what is still under way.
    package static let wrongLastSequence = 10071
    package static let wrongLastSequenceUnderWay = 10164
    /// A message of the same id is under way.
    package static let duplicateUnderWay = 10158
    package static let messageTooLarge = 10054
    /// The stream could not take it; the text says why.
    package static let storeFailed = 10077
    package static let insufficientResources = 10023
    package static let memoryExceeded = 10028
    package static let storageExceeded = 10047
    package static let clusterNotAvailable = 10008
    package static let clusterNotLeader = 10009
    package static let notEnabled = 10076
    package static let notEnabledForAccount = 10039
    package static let tooManyRequests = 10167
}
