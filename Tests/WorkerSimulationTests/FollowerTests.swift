import Engine
import Logging
import Model
import Ports
import SimulatedPorts
import Testing
import Workload

@testable import Worker

/// Gives a follower the thread that its shard wants.
private actor Host {
    private let executor = ThreadExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }
    private let follower: Follower

    init(_ installation: SimulatedInstallation, snapshots: any SnapshotStore) {
        follower = Follower(
            Recovery(
                id: ShardID(0), installation: installation.installation, logs: installation.logs, snapshots: snapshots,
                rules: RuleRevisions(logs: installation.logs) {}, executor: executor, brain: brainVersion,
                clock: installation.clock, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
    }

    func advance() async throws -> UInt64 {
        try await follower.advance()
        return follower.standing.end.number
    }

    func follow(through number: UInt64) async throws -> UInt128 {
        while follower.standing.end.number < number { try await follower.advance() }
        return follower.standing.end.hash
    }
}

@Suite("Follower over simulated ports", .serialized, .timeLimit(.minutes(2)))
struct FollowerTests {
    let worker = WorkerID(name: "a", instance: "1")

    /// A shard's log of this workload, by one worker that takes a snapshot at its end only: nothing is trimmed.
    private func history(customers: UInt64, events: UInt64) async throws -> (SimulatedInstallation, UInt64) {
        let workload = try #require(ReferenceWorkload(customers: customers, events: events))
        let installation = try SimulatedInstallation(shards: 1, timeMode: .eventTime)
        try await installation.apply(ReferenceRules.ruleSet)
        try await installation.place(alive: [worker], owners: [0])
        let running = installation.start(worker, snapshotEveryBytes: .max)
        let closing = try await installation.feed(workload, events: 0..<events, closing: true)
        _ = try await installation.answers(closing: closing)
        running.cancel()
        try await running.value
        return (installation, try #require(closing[0]))
    }

    private func hash(of number: UInt64, _ installation: SimulatedInstallation) throws -> UInt128 {
        try Commit.decoded(installation.logs.contents(of: .commits(ShardID(0)))[Int(number) - 1].payload).hash
    }

    @Test("I4 a follower whose next commit is trimmed away goes on from a newer snapshot, and says so when there is none")
    func trimmed() async throws {
        let (installation, _) = try await history(customers: 60, events: 1500)
        let kept = try #require(try await installation.snapshots.load(.shard(ShardID(0)), atMost: .max) { _ in })
        let last = UInt64(try installation.commits(0).count)
        let end = try hash(of: last, installation)
        let snapshots = SimulatedSnapshotStore()
        let (lucky, unlucky) = (
            Host(installation, snapshots: snapshots), Host(installation, snapshots: SimulatedSnapshotStore())
        )
        for host in [lucky, unlucky] { #expect(try await host.advance() == 0, "nothing is loaded: it stands before the first") }
        try await installation.logs.trim(.commits(ShardID(0)), below: kept.head.commit)
        var manifest: SnapshotManifest?
        for (part, chunks) in zip(kept.manifest.parts, kept.parts) {
            manifest = try await snapshots.put(chunks, part.head, of: .shard(ShardID(0)), upon: manifest)
        }
        #expect(try await lucky.follow(through: last) == end)
        await #expect(throws: WorkerFault.self) { try await unlucky.follow(through: last) }
    }
}
