import Engine
import Foundation
import Model
import Ports
import SimulatedPorts
import Testing
import Workload

@testable import Worker

@Suite("Standbys over simulated ports", .serialized, .timeLimit(.minutes(2)))
struct StandbyTests {
    let first = WorkerID(name: "a", instance: "1")
    let second = WorkerID(name: "b", instance: "2")

    @Test("F4 a standby follows all the time and takes over; whoever was believed dead does no harm", arguments: [UInt64(0), 3])
    func takeover(seed: UInt64) async throws {
        let workload = try #require(ReferenceWorkload(customers: 60, events: 3000))
        let installation = try SimulatedInstallation(
            shards: 2, timeMode: .eventTime, faults: seed == 0 ? .none : .some(seed: seed))
        try await installation.apply(ReferenceRules.ruleSet)
        try await installation.place(alive: [first, second], owners: [0, 0], standbys: [[1], [1]])
        let heard = HeartbeatProbe()
        let registration = try await installation.messaging.listen("worker.heartbeat") { _, payload in heard.take(payload) }
        let workers = [installation.start(first), installation.start(second)]
        _ = try await installation.feed(workload, events: 0..<1500, closing: false)
        let number = try await installation.awaitCommit(0) { !$0.steps.isEmpty }.number
        await heard.waitUntil(second) { shards in
            shards.contains { $0.shard == 0 && $0.phase == .following && $0.commit >= number }
        }
        #expect(try installation.commits(0).allSatisfy { $0.owner == first.description }, "a standby writes nothing")
        try await installation.place(alive: [second], owners: [0, 0])
        for shard in 0..<2 { _ = try await installation.awaitCommit(shard) { $0.owner == second.description } }
        let closing = try await installation.feed(workload, events: 1500..<3000, closing: true)
        let fold = try await installation.answers(closing: closing)
        #expect(fold.answers == ReferenceInterpreter.answers(for: workload))
        registration.close()
        for worker in workers {
            worker.cancel()
            try await worker.value
        }
    }

    @Test("F4 a shard whose owner lives but does not serve it is taken after a moment")
    func absent() async throws {
        let installation = try SimulatedInstallation(shards: 1, timeMode: .eventTime)
        try await installation.apply(ReferenceRules.ruleSet)
        // As a worker leaves it that gave the shard up on a fault: its fence is the last word.
        let fence = Commit(
            kind: .fence, shard: ShardID(0), epoch: 1, number: 1, previousHash: 0, brain: brainVersion, owner: first.description)
        _ = try await installation.logs.append(to: .commits(ShardID(0)), fence.encoded().bytes, expecting: 0)
        try await installation.place(alive: [first, second], owners: [1])
        let worker = installation.start(second)
        let taken = try await installation.awaitCommit(0) { $0.owner == second.description }
        #expect(taken.kind == .fence && taken.epoch == 2)
        worker.cancel()
        try await worker.value
    }

    @Test("two workers of one name: the second is refused, and whose name COORD gives to a later run ends")
    func twins() async throws {
        let installation = try SimulatedInstallation(shards: 1, timeMode: .eventTime)
        try await installation.place(alive: [first], owners: [0])
        let running = installation.start(first)
        _ = try await installation.awaitCommit(0) { $0.kind == .fence }
        let twin = WorkerID(name: first.name, instance: "2")
        await #expect(throws: WorkerFault.self) { try await installation.start(twin).value }
        try await installation.place(alive: [twin], owners: [0])
        await #expect(throws: WorkerFault.self) { try await running.value }
    }
}
