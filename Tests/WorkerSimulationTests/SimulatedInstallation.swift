import Foundation
import Logging
import Model
import Ports
import SimulatedPorts
import Testing
import Worker
import Workload

/// Workers over simulated ports: a manual clock that is moved on while anybody sleeps, placements written by hand.
final class SimulatedInstallation: Sendable {
    let clock = ManualClock()
    let logs: SimulatedLogStore
    let snapshots: SimulatedSnapshotStore
    let messaging: SimulatedMessaging
    let installation: Installation
    private let pacing: Task<Void, Never>

    init(
        shards: Int, timeMode: Installation.TimeMode, faults: SimulatedFaults = .none, snapshotFaults: SimulatedFaults = .none
    ) throws {
        installation = Installation(shards: try #require(ShardMap(shards: shards)), timeMode: timeMode, replicas: 1)
        let clock = clock
        logs = SimulatedLogStore(clock: clock, faults: faults)
        snapshots = SimulatedSnapshotStore(faults: snapshotFaults)
        messaging = SimulatedMessaging(clock: clock)
        // In live mode a worker commits for seconds after a look at the log's time: they must not be over before it can.
        let leastTime: Duration = timeMode == .live ? .milliseconds(1) : .zero
        pacing = Task {
            while !Task.isCancelled {
                let next = ContinuousClock.now + leastTime
                await clock.waitForSleepers(1)
                clock.advance(milliseconds: 50)
                repeat { await Task.yield() } while ContinuousClock.now < next
            }
        }
    }

    deinit { pacing.cancel() }

    /// Starts a worker; cancelling the task stops it in order.
    func start(
        _ id: WorkerID, snapshotEveryBytes: Int = 16 << 10, brain: UInt32? = nil, clock own: (any WallClock)? = nil
    ) -> Task<Void, any Error> {
        var options = WorkerOptions(id: id, threads: 1, snapshotEveryBytes: snapshotEveryBytes)
        if let brain { options.brain = brain }
        let clock = own ?? clock
        return Task { [options, installation, logs, snapshots, messaging] in
            try await WorkerRole.run(
                options: options, installation: installation, logs: logs, snapshots: snapshots, messaging: messaging,
                clock: clock, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
    }

    /// Says who lives and who owns each shard; indices into `alive`.
    func place(
        alive: [WorkerID], owners: [Int?], standbys: [[Int]] = [], trusted: [TrustedEnd] = []
    ) async throws {
        let record = CoordinatorRecord(
            epoch: 1, coordinator: "test",
            placement: PlacementRecord(alive: alive, owners: owners, standbys: standbys, trusted: trusted))
        _ = try await durably(.coordinator, Array(try JSONEncoder().encode(record)))
    }

    func apply(_ rules: RuleSet) async throws { _ = try await durably(.configuration, rules.encoded()) }

    func put(_ message: InputMessage, _ shard: Int) async throws -> UInt64 {
        try await durably(.input(ShardID(index: shard)), message.encoded())
    }

    /// Appends until it is known to be written, whatever the faults are.
    private func durably(_ log: LogName, _ payload: [UInt8]) async throws -> UInt64 {
        while true {
            try Task.checkCancellation()
            guard let before = try? await logs.last(of: log) ?? LogRecord(sequence: 0, time: .distantPast, payload: []) else {
                continue
            }
            do {
                return try await logs.append(to: log, payload, expecting: before.sequence, id: nil)
            } catch {
                if let last = try? await logs.last(of: log), last.payload == payload, last.sequence > before.sequence {
                    return last.sequence
                }
            }
        }
    }

    /// Waits until the shard's commits satisfy the condition; `LogReader` yields each as it is written.
    func awaitCommit(_ shard: Int, where holds: (Commit) -> Bool) async throws -> Commit {
        let reader = try await reader(of: .commits(ShardID(index: shard)))
        defer { reader.close() }
        while true {
            for record in try await reader.next(max: 64) {
                let commit = try Commit.decoded(record.payload).commit
                if holds(commit) { return commit }
            }
        }
    }

    /// A reader, however often that fails.
    private func reader(of log: LogName) async throws -> any LogReader {
        while true {
            try Task.checkCancellation()
            if let reader = try? await logs.read(log, from: 1) { return reader }
        }
    }

    func commits(_ shard: Int) throws -> [Commit] {
        try logs.contents(of: .commits(ShardID(index: shard))).map { try Commit.decoded($0.payload).commit }
    }

    /// The reference workload into IN, in batches; the closing clock record's sequence by shard.
    func feed(_ workload: ReferenceWorkload, events range: Range<UInt64>, closing: Bool) async throws -> [Int: UInt64] {
        var batches: [ShardID: [Event]] = [:]
        for index in range {
            let event = workload.event(at: index).input(seed: 42)
            let shard = installation.shards.shard(of: event.customer)
            batches[shard, default: []].append(event)
            if batches[shard]?.count == 40 {
                _ = try await put(.events(batches[shard] ?? []), Int(shard.number))
                batches[shard] = nil
            }
        }
        for (shard, events) in batches { _ = try await put(.events(events), Int(shard.number)) }
        guard closing else { return [:] }
        var sequences: [Int: UInt64] = [:]
        for shard in installation.shards.all {
            sequences[Int(shard.number)] = try await put(.clock(ReferenceWorkload.closing), Int(shard.number))
        }
        return sequences
    }

    /// Sums the answers when every shard has come to its closing clock record.
    func answers(closing: [Int: UInt64]) async throws -> AnswerFold {
        var fold = AnswerFold()
        for (shard, sequence) in closing.sorted(by: { $0.key < $1.key }) {
            _ = try await awaitCommit(shard) { commit in
                commit.steps.contains { $0.inputSequence >= sequence && $0.clock >= ReferenceWorkload.closing }
            }
            for record in logs.contents(of: .commits(ShardID(index: shard))) { try fold.add(record.payload) }
        }
        return fold
    }
}
