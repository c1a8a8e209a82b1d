import Model
import Ports

/// Writes batches to the shards' IN logs, in order and each once, with a bound on what is under way.
///
/// It must be the only writer: every append names the sequence that it follows, so that a lost one cannot let a later one
/// in. After a failure the log's end says how far it came, and the rest is sent again.
actor InputPublisher {
    /// Bytes handed over and not yet acknowledged, over all shards.
    static let bytesInFlightMax = 16 << 20

    private struct Batch {
        let payload: [UInt8]
        var isAcknowledged = false
    }

    private struct Shard {
        /// The log's last sequence before `pending`.
        var last: UInt64
        /// Not known to be written, oldest first.
        var pending: [Batch] = []
        /// How many of `pending` have been handed over.
        var sent = 0
        /// How many of those have not been answered.
        var unanswered = 0
        var failure: LogError?
    }

    private let logs: any LogStore
    private let retryAfter: Duration
    private var shards: [ShardID: Shard] = [:]
    private var bytesInFlight = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var broken: LoadError?
    /// Appends that had to be done again.
    private(set) var repeats = 0

    /// The logs may hold records already.
    init(logs: any LogStore, shards: [ShardID], retryAfter: Duration = .milliseconds(100)) async throws {
        self.logs = logs
        self.retryAfter = retryAfter
        for shard in shards { self.shards[shard] = Shard(last: try await logs.state(of: .input(shard)).last) }
    }

    /// Returns when there is room for more, not when it is written.
    func send(_ payload: [UInt8], to shard: ShardID) async throws {
        try await wait { $0.bytesInFlight == 0 || $0.bytesInFlight + payload.count <= Self.bytesInFlightMax }
        bytesInFlight += payload.count
        shards[shard]?.pending.append(Batch(payload: payload))
        handOver(shard)
    }

    /// Returns when everything is durable.
    func drain() async throws {
        try await wait { $0.bytesInFlight == 0 }
    }

    /// The last sequence of the shard's log, once everything is durable.
    func last(of shard: ShardID) -> UInt64 { shards[shard]?.last ?? 0 }

    private func wait(until condition: (isolated InputPublisher) -> Bool) async throws {
        while true {
            if let broken { throw broken }
            if condition(self) { return }
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    private func wake() {
        let woken = waiting
        waiting = []
        for continuation in woken { continuation.resume() }
    }

    private func handOver(_ id: ShardID) {
        guard var shard = shards[id], shard.failure == nil else { return }
        while shard.sent < shard.pending.count {
            let expected = shard.last + UInt64(shard.sent)
            let payload = shard.pending[shard.sent].payload
            shard.sent += 1
            shard.unanswered += 1
            logs.append(to: .input(id), payload, expecting: expected, id: nil) { result in
                Task { await self.answered(result, shard: id) }
            }
        }
        shards[id] = shard
    }

    private func answered(_ result: Result<UInt64, LogError>, shard id: ShardID) async {
        guard var shard = shards[id] else { return }
        shard.unanswered -= 1
        switch result {
        case .success(let sequence):
            guard sequence > shard.last, sequence - shard.last <= UInt64(shard.sent) else {
                broken = LoadError("\(LogName.input(id)) answered with sequence \(sequence), not with one after \(shard.last)")
                return wake()
            }
            shard.pending[Int(sequence - shard.last) - 1].isAcknowledged = true
            let written = shard.pending.prefix { $0.isAcknowledged }.count
            forget(written, of: &shard)
        case .failure(let error):
            if error.code == .tooLarge { broken = LoadError("a batch for \(LogName.input(id)) is too large: \(error)") }
            shard.failure = shard.failure ?? error
        }
        shards[id] = shard
        wake()
        if shard.failure != nil, shard.unanswered == 0, broken == nil { await recover(id) }
    }

    private func forget(_ count: Int, of shard: inout Shard) {
        bytesInFlight -= shard.pending.prefix(count).reduce(0) { $0 + $1.payload.count }
        shard.pending.removeFirst(count)
        shard.sent -= count
        shard.last += UInt64(count)
    }

    /// Nothing of the shard is under way: asks the log how far it came, and goes on from there.
    private func recover(_ id: ShardID) async {
        repeats += 1
        do {
            try await Task.sleep(for: retryAfter)
            let last = try await logs.state(of: .input(id)).last
            guard var shard = shards[id] else { return }
            guard last >= shard.last, last <= shard.last + UInt64(shard.sent) else {
                broken = LoadError("somebody else writes to \(LogName.input(id)): it ends at \(last), not \(shard.last)")
                return wake()
            }
            forget(Int(last - shard.last), of: &shard)
            for index in shard.pending.indices { shard.pending[index].isAcknowledged = false }
            shard.sent = 0
            shard.failure = nil
            shards[id] = shard
            handOver(id)
            wake()
        } catch is CancellationError {
            broken = LoadError("cancelled")
            wake()
        } catch {
            await recover(id)
        }
    }
}
