import Logging
import Model
import Ports
import SimulatedPorts
import Testing

@testable import Coordinator

/// F7 I7: what commits set aside stands in DEAD, each once, whoever carries it and whatever becomes of acknowledgements.
@Suite struct DeadLetterCarrierTests {
    private func letters(_ shard: Int, commits: ClosedRange<UInt64>) -> [[DeadEntry]] {
        var number: UInt64 = 0
        return commits.map { commit in
            (0..<2).map { index in
                number += 1
                return .setAside(
                    DeadEntryOrigin(shard: ShardID(index: shard), commit: commit, index: UInt32(index)),
                    SetAside(
                        number: number, inputSequence: commit, index: 0, arrived: .distantPast, reason: "r",
                        message: [UInt8](repeating: 1, count: 100_000)))
            }
        }
    }

    private func carryAll(_ carrier: DeadLetterCarrier, _ commits: [[DeadEntry]]) async throws {
        for entries in commits {
            while true {
                do {
                    try await carrier.carry(entries)
                    break
                } catch let error as LogError where error.code == .unavailable {
                    continue
                }
            }
        }
    }

    @Test(arguments: [UInt64(0), 1, 2, 3])
    func `I7 several carriers at once, and one that starts over, write each entry once`(seed: UInt64) async throws {
        let logs = SimulatedLogStore(clock: ManualClock(), faults: seed == 0 ? .none : .some(seed: seed))
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let shards = (0..<3).map { letters($0, commits: 1...8) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                let carrier = DeadLetterCarrier(logs: logs, log: log)
                for commits in shards { group.addTask { try await carryAll(carrier, commits) } }
            }
            try await group.waitForAll()
        }
        try await carryAll(DeadLetterCarrier(logs: logs, log: log), shards[0])
        let written = try logs.contents(of: .deadLetters).flatMap { try DeadRecord.decoded($0.payload).entries }
        #expect(written.count == 3 * 8 * 2)
        for (shard, commits) in shards.enumerated() {
            #expect(written.filter { $0.origin?.shard == ShardID(index: shard) } == commits.flatMap(\.self))
        }
    }

    private func book(_ logs: SimulatedLogStore) throws -> DeadLetterBook {
        var book = DeadLetterBook()
        for record in logs.contents(of: .deadLetters) { book.add(try DeadRecord.decoded(record.payload)) }
        return book
    }

    private func settle(_ ids: [DeadLetterID], _ logs: SimulatedLogStore) async throws {
        let entries = ids.map { DeadEntry.discarded($0, at: .distantPast, reason: "why") }
        _ = try await logs.append(to: .deadLetters, DeadRecord(entries).encoded())
    }

    @Test func `I7 I8 a full DEAD takes no more and drops nothing; what is settled makes room for what waits`() async throws {
        let logs = SimulatedLogStore(clock: ManualClock())
        logs.setBound(.deadLetters, bytesMax: 2_500_000)
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let carrier = DeadLetterCarrier(logs: logs, log: log)
        let commits = letters(0, commits: 1...40)
        var next = 0
        for settled in 0..<6 {
            while true {
                do { try await carrier.carry(commits[next]) } catch let error as LogError {
                    #expect(error.code == .full && error.message.contains("reprise dead list"))
                    break
                }
                next += 1
            }
            let waiting = try book(logs).all.filter { $0.state == .waiting }
            // One that nobody settles stands at the front, and holds nothing up.
            #expect(waiting.first?.id.number == 1 && waiting.count > 15, "round \(settled)")
            let error = await #expect(throws: LogError.self) { try await carrier.carry(commits[next]) }
            #expect(error?.code == .full, "asked again nothing is different")
            try await settle(waiting.dropFirst().prefix(9).map(\.id), logs)
        }
        #expect(next > 24)
        // Whoever begins now, with sums that are far behind, writes nothing twice.
        let before = try book(logs).all.map(\.id)
        let late = DeadLetterCarrier(logs: logs, log: log)
        for entries in commits[..<next] { try await late.carry(entries) }
        #expect(try book(logs).all.map(\.id) == before)
        let waiting = try book(logs).all.filter { $0.state == .waiting }.map(\.id.number)
        #expect(Set(waiting).count == waiting.count && waiting.count == 2 * next - 9 * 6)
    }

    @Test func `I7 what DEAD cannot take is not passed over`() async throws {
        let logs = SimulatedLogStore(clock: ManualClock())
        logs.setBound(.deadLetters, bytesMax: 400_000)
        let carrier = DeadLetterCarrier(logs: logs, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await carrier.carry(letters(0, commits: 1...1)[0])
        let second = letters(0, commits: 1...2)[1]
        let error = await #expect(throws: LogError.self) { try await carrier.carry(second) }
        #expect(error?.code == .full)
        logs.setBound(.deadLetters, bytesMax: nil)
        try await carrier.carry(second)
        #expect(logs.contents(of: .deadLetters).count == 2)
    }
}
