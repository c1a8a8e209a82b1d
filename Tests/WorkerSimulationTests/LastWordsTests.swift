import Logging
import Model
import SimulatedPorts
import Testing

@testable import Worker

@Suite("Last words over simulated ports", .serialized, .timeLimit(.minutes(2)))
struct LastWordsTests {
    private let worker = WorkerID(name: "a", instance: "1")
    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let start = Instant(milliseconds: 1_704_067_200_000)

    private func orders(_ customers: [String]) -> InputMessage {
        .events(
            customers.map { customer in
                Event(
                    customer: .user(customer), time: start,
                    body: .order(OrderEvent(orderID: customer, change: .placed, revenue: 100)))
            })
    }

    private func setAside(_ commits: [Commit]) throws -> [SetAside] {
        try commits.flatMap(\.steps).flatMap { try $0.decodedEffects() }.compactMap {
            if case .setAside(let event) = $0 { event } else { nil }
        }
    }

    @Test(
        "I2 I7 the word follows the owner's last commit; whoever is next sets that event aside and no other",
        arguments: [UInt64(0), 4, 5, 6])
    func word(seed: UInt64) async throws {
        let installation = try SimulatedInstallation(
            shards: 1, timeMode: .eventTime, faults: seed == 0 ? .none : .some(seed: seed))
        try await installation.place(alive: [worker], owners: [0])
        let running = installation.start(worker)
        let first = try await installation.put(orders(["a", "b"]), 0)
        _ = try await installation.awaitCommit(0) { $0.steps.contains { $0.inputSequence >= first } }
        let attempt = Attempt(place: .event(inputSequence: first + 1, index: 1), signal: 4)
        await LastWords.write(attempt, ShardID(0), as: worker.description, to: installation.logs, log: log)
        // The owner of the test lives on and finds its next commit refused; it takes the shard again as a next one would.
        _ = try await installation.put(orders(["c", "d", "e"]), 0)
        let last = try await installation.put(.clock(start), 0)
        _ = try await installation.awaitCommit(0) { $0.steps.contains { $0.inputSequence >= last } }
        let commits = try installation.commits(0)
        let word = try #require(commits.firstIndex { $0.kind == .attempt })
        #expect(commits.count { $0.kind == .attempt } == 1)
        #expect(commits[word].attempt == attempt && commits[word].epoch == commits[word - 1].epoch)
        #expect(commits[word + 1].kind == .fence && commits[word + 1].takeover?.stalled == 0)
        let letters = try setAside(commits)
        #expect(letters.map(\.reason) == ["trapped: applying it ended 1 worker"])
        #expect(try letters.map { try InputMessage.decoded($0.message) } == [orders(["d"])])
        running.cancel()
        try await running.value
    }

    @Test("I2 the word of a worker that has lost the shard, or given it up, is not written")
    func stranger() async throws {
        let installation = try SimulatedInstallation(shards: 1, timeMode: .eventTime)
        try await installation.place(alive: [worker], owners: [0])
        let running = installation.start(worker)
        _ = try await installation.awaitCommit(0) { $0.kind == .fence }
        let attempt = Attempt(place: .wakeUp(due: start, slot: 0), signal: 11)
        await LastWords.write(attempt, ShardID(0), as: "b#2", to: installation.logs, log: log)
        running.cancel()
        try await running.value
        await LastWords.write(attempt, ShardID(0), as: worker.description, to: installation.logs, log: log)
        #expect(try installation.commits(0).allSatisfy { $0.kind != .attempt })
    }
}
