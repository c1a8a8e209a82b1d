import Model
import Ports
import SimulatedPorts
import Testing
import Worker

@testable import History

/// A7: what the history makes of the logs of real shards, whose customers turn out to be one and pass events on.
@Suite("History over the logs of simulated workers", .serialized, .timeLimit(.minutes(2)))
struct HistorySimulationTests {
    private static let count = 240
    private static let start = Instant(milliseconds: 1_704_067_200_000)

    /// Every third order may bear no message id, every fifth event comes twice where it has one, every seventh ties a card to its
    /// user; some tie two users by a verified address.
    private func events(_ index: Int, all haveIDs: Bool) -> [Event] {
        let number = index % 16
        let time = Self.start + Int64(index) * Milliseconds.minute
        let card = CustomerKey("card:\(number)")
        if index % 7 == 3 {
            let address = Identifier(CustomerKey("email:\(number / 2)@example.com"), isVerified: true)
            let seen = Event.Body.named(name: "Seen \(index)", properties: [])
            return [
                Event(
                    messageID: UInt128(index + 1), customer: .user("\(number)"), time: time,
                    identifiers: [Identifier(card)] + (index % 2 == 0 ? [address] : []), body: seen)
            ]
        }
        let key = [card, card, CustomerKey.user("\(number)")][index % 3]
        let order = Event(
            messageID: index % 3 == 0 && !haveIDs ? 0 : UInt128(index + 1), customer: key, time: time,
            body: .order(OrderEvent(orderID: "o\(index)", change: .placed, revenue: 100)))
        return index % 5 == 1 && order.messageID != 0 ? [order, order] : [order]
    }

    private func rows(_ installation: SimulatedInstallation, _ shard: ShardID) throws -> [HistoryRow] {
        let inputs = installation.logs.contents(of: .input(shard))
        var fold = HistoryFold(shard: shard, isLive: true)
        var position = HistoryPosition.start
        for record in installation.logs.contents(of: .commits(shard)) {
            for step in try position.follow(record, of: shard, isBehindGap: false).steps {
                let needed = position.inputNeeded
                let read = inputs.filter { $0.sequence >= needed && $0.sequence <= step.inputSequence }
                try fold.add(step, inputs: read, from: &position)
            }
        }
        return fold.take()
    }

    private func isMerged(_ installation: SimulatedInstallation) throws -> Bool {
        try installation.installation.shards.all.contains { shard in
            try rows(installation, shard).contains { if case .merged = $0 { true } else { false } }
        }
    }

    /// What the store makes of repeats: a message id counts once in a shard.
    private func names(_ rows: [HistoryRow]) -> [String] {
        var seen: Set<Halves> = []
        return rows.compactMap { row in
            switch row {
            case .event(let event):
                if event.message != Halves(0), !seen.insert(event.message).inserted { return nil }
                return event.orderID.isEmpty ? event.kind : event.orderID
            case .passedOn(let message, _):
                seen.insert(message)
                return nil
            case .decision, .mark, .merged: return nil
            }
        }
    }

    @Test(
        "A7 each event stands once, in one shard, however often it came and wherever it was passed on",
        arguments: [UInt64(0), 1, 2])
    func once(seed: UInt64) async throws {
        let installation = try SimulatedInstallation(shards: 4, timeMode: .live, faults: seed == 0 ? .none : .some(seed: seed))
        let workers = (1...2).map { WorkerID(name: "w\($0)", instance: "\($0)") }
        var running: [Task<Void, any Error>] = []
        for (round, worker) in workers.enumerated() {
            running.append(installation.start(worker))
            try await installation.place(alive: [worker], owners: [0, 0, 0, 0])
            for shard in 0..<4 { _ = try await installation.awaitCommit(shard) { $0.owner == worker.description } }
            // What comes in the second round for a card is passed on: by then some lead to their customers.
            while round == 1, try !self.isMerged(installation) {
                try await installation.clock.sleep(until: installation.clock.now() + 200)
            }
            for index in round * Self.count / 2..<(round + 1) * Self.count / 2 {
                // With faults one that was written may be put again: then it needs an id, or it counts twice, rightly.
                let events = events(index, all: seed != 0)
                let shard = installation.installation.shards.shard(of: events[0].customer)
                _ = try await installation.put(.events(events), Int(shard.number))
            }
        }
        let expected = (0..<Self.count).map { $0 % 7 == 3 ? "Seen \($0)" : "o\($0)" }.sorted()
        var found: [[HistoryRow]] = []
        repeat {
            try await installation.clock.sleep(until: installation.clock.now() + 200)
            found = try installation.installation.shards.all.map { try rows(installation, $0) }
        } while found.reduce(0) { $0 + names($1).count } < expected.count
        #expect(found.flatMap(names).sorted() == expected)
        // Events were passed on, and customers became one: else this showed nothing.
        #expect(found.joined().contains { if case .passedOn = $0 { true } else { false } })
        #expect(found.joined().contains { if case .merged = $0 { true } else { false } })
        for worker in running {
            worker.cancel()
            try await worker.value
        }
        #expect(try installation.installation.shards.all.flatMap { try names(rows(installation, $0)) }.sorted() == expected)
    }
}
