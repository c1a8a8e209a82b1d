internal import FoundationEssentials

/// How a stream is kept. Only fields that servers from 2.9 on know.
package struct StreamConfiguration: Codable, Equatable, Sendable {
    package var name: String
    package var subjects: [String]
    package var retention = "limits"
    package var storage = "file"
    /// `new`: a full stream refuses, it drops nothing.
    package var discard = "new"
    /// -1 = no bound.
    package var bytesMax: Int64
    package var messageBytesMax: Int
    package var replicas: Int
    /// For so long a message id is known.
    package var duplicateWindowNanoseconds: Int64 = 120_000_000_000
    /// Lets any replica answer reads.
    package var allowDirect: Bool?

    package init(
        name: String, subjects: [String], bytesMax: Int64?, messageBytesMax: Int, replicas: Int, allowDirect: Bool = false
    ) {
        self.name = name
        self.subjects = subjects
        self.bytesMax = bytesMax ?? -1
        self.messageBytesMax = messageBytesMax
        self.replicas = replicas
        self.allowDirect = allowDirect
    }

    private enum CodingKeys: String, CodingKey {
        case name, subjects, retention, storage, discard
        case bytesMax = "max_bytes"
        case messageBytesMax = "max_msg_size"
        case replicas = "num_replicas"
        case duplicateWindowNanoseconds = "duplicate_window"
        case allowDirect = "allow_direct"
    }
}

/// What is in a stream.
package struct StreamState: Equatable, Sendable {
    package let messages: UInt64
    package let bytes: UInt64
    /// Last + 1 when there is no message.
    package let first: UInt64
    package let last: UInt64
    /// Nil = no bound.
    package let bytesMax: UInt64?
    /// When the stream's leader answered, by its clock, since 1970; nil = it is too old to say.
    package let timeNanoseconds: Int64?
}

// JetStream's answers, with its names.

struct StreamAnswer: Decodable {
    struct State: Decodable {
        let messages: UInt64
        let bytes: UInt64
        let first_seq: UInt64
        let last_seq: UInt64
        let subjects: [String: UInt64]?
    }

    let config: StreamConfiguration
    let state: State
    let ts: String?

    var streamState: StreamState {
        StreamState(
            messages: state.messages, bytes: state.bytes,
            first: state.messages == 0 ? state.last_seq + 1 : state.first_seq, last: state.last_seq,
            bytesMax: config.bytesMax < 0 ? nil : UInt64(config.bytesMax), timeNanoseconds: ts.flatMap(RFC3339.nanoseconds))
    }
}

struct StreamNamesAnswer: Decodable {
    let streams: [String]?
}

struct SuccessAnswer: Decodable {
    let success: Bool
}

struct MessageAnswer: Decodable {
    struct Message: Decodable {
        let seq: UInt64
        let data: Data?
        let hdrs: Data?
        let time: String
    }

    let message: Message
}

struct ConsumerAnswer: Decodable {
    let num_pending: UInt64
}

struct ConsumerRequest: Encodable {
    struct Configuration: Encodable {
        let name: String
        let deliver_policy: String
        let opt_start_seq: UInt64?
        let ack_policy: String
        let replay_policy: String
        let inactive_threshold: Int64
        let num_replicas: Int
        let mem_storage: Bool

        static func reader(name: String, from sequence: UInt64) -> Configuration {
            Configuration(
                name: name, deliver_policy: sequence > 1 ? "by_start_sequence" : "all",
                opt_start_seq: sequence > 1 ? sequence : nil, ack_policy: "none", replay_policy: "instant",
                inactive_threshold: 60_000_000_000, num_replicas: 1, mem_storage: true)
        }
    }

    let stream_name: String
    let config: Configuration
}

struct ErrorAnswer: Decodable {
    struct Failure: Decodable {
        let code: Int
        let err_code: Int?
        let description: String?
    }

    let error: Failure?
}

/// JSON on the way to JetStream and back.
enum JSONForm {
    static func encode(_ value: some Encodable) throws(NATSError) -> [UInt8] {
        do {
            return [UInt8](try JSONEncoder().encode(value))
        } catch {
            throw NATSError(.invalid, "a request cannot be written: \(error)")
        }
    }

    /// Decodes an answer, or the error that stands in its place.
    static func decode<Answer: Decodable>(_ bytes: [UInt8], as type: Answer.Type, from what: String) throws(NATSError) -> Answer {
        let data = Data(bytes)
        let decoder = JSONDecoder()
        do {
            return try decoder.decode(type, from: data)
        } catch let failure {
            if let answer = try? decoder.decode(ErrorAnswer.self, from: data), let error = answer.error {
                throw NATSError(
                    .api(status: error.code, code: error.err_code ?? 0), "\(what): \(error.description ?? "no reason given")")
            }
            throw NATSError(.invalid, "\(what): the answer cannot be read: \(failure)")
        }
    }
}
