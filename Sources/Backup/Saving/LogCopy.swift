internal import Foundation
internal import Model
internal import Ports

/// A log's copy in the folder, as far as it goes: all records from its first on.
struct LogCopy: Sendable {
    let name: LogName
    private let folder: URL
    private(set) var file: FrameFile
    private(set) var first: UInt64 = 0
    private(set) var last: UInt64 = 0
    private(set) var bytesMax: UInt64?
    /// Of a commit log: how the commits copied so far follow one another.
    private(set) var chain = Chain()

    struct Chain: Equatable, Sendable {
        private var halves = Halves(0)
        var hash: UInt128 {
            get { halves.value }
            set { halves = Halves(newValue) }
        }
        var brain: UInt32 = 0
        /// The first commit of that brain without one of another behind it.
        var brainSince: UInt64 = 0
        /// False before the first commit that is copied: the one before it is not known.
        var isBegun = false
    }

    /// The log was trimmed behind what is copied: the copy cannot be continued.
    struct Trimmed: Error {}

    /// How often a copy is begun anew before something else is done.
    static let triesMax = 10
    private static let recordsAtOnce = 256

    init(_ name: LogName, folder: URL) {
        self.name = name
        self.folder = folder
        file = FrameFile(path: "\(name).log")
    }

    var entry: BackupManifest.Log { .init(file: file, first: first, last: last, bytesMax: bytesMax) }

    /// Begins anew with the first record that is there now.
    mutating func restart(_ logs: any LogStore) async throws {
        let state = try await logs.state(of: name)
        file = FrameFile(path: file.path)
        first = state.first
        last = state.first - 1
        bytesMax = state.bytesMax
        chain = Chain()
        file = try FrameWriter(folder, file).close()
    }

    /// Copies on up to `end`; nil = up to what is there now. Throws ``Trimmed`` when a record of these is gone.
    mutating func extend(to end: UInt64? = nil, _ logs: any LogStore) async throws {
        if first == 0 { try await restart(logs) }
        let state = try await logs.state(of: name)
        let end = end ?? state.last
        guard end > last else { return }
        guard state.first <= last + 1 else { throw Trimmed() }
        let reader: any LogReader
        do { reader = try await logs.read(name, from: last + 1) } catch { throw Self.meaning(error) }
        defer { reader.close() }
        let writer = try FrameWriter(folder, file)
        var chain = chain
        var next = last + 1
        while next <= end {
            let records: [LogRecord]
            do { records = try await reader.next(max: Self.recordsAtOnce) } catch let error as LogError {
                throw Self.meaning(error)
            }
            for record in records where record.sequence <= end {
                guard record.sequence == next else { throw BackupError("\(name): record \(next) is missing") }
                if case .commits(let shard) = name { try chain.follow(record, of: shard) }
                try writer.append(RecordFrame.encoded(record))
                next += 1
            }
        }
        file = try writer.close()
        self.chain = chain
        last = end
    }

    /// Copies on up to what is there now, begun anew with what is left when it was trimmed.
    mutating func extendAnew(_ logs: any LogStore) async throws {
        for _ in 0..<Self.triesMax {
            do { return try await extend(logs) } catch is Trimmed { try await restart(logs) }
        }
        throw BackupError("\(name) was trimmed faster than it was copied, \(Self.triesMax) times in a row")
    }

    private static func meaning(_ error: LogError) -> any Error {
        if case .trimmed = error.code { Trimmed() } else { error }
    }
}

extension LogCopy.Chain {
    /// Refuses a log that is damaged: what is saved must be worth restoring.
    mutating func follow(_ record: LogRecord, of shard: ShardID) throws {
        let (commit, hash) = try Commit.decoded(record.payload)
        guard commit.number == record.sequence, commit.shard == shard, !isBegun || commit.previousHash == self.hash else {
            throw BackupError("LOG.\(shard): record \(record.sequence) does not follow the one before: the log is damaged")
        }
        if !isBegun || commit.brain != brain { brainSince = commit.number }
        isBegun = true
        brain = commit.brain
        self.hash = hash
    }
}
