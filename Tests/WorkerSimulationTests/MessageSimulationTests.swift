import Model
import Ports
import SimulatedPorts
import Testing
import Worker
import Workload

@Suite("Messages between shards over simulated ports", .serialized, .timeLimit(.minutes(2)))
struct MessageSimulationTests {
    private let workers = (1...4).map { WorkerID(name: "w\($0)", instance: "\($0)") }
    private static let start = Instant(milliseconds: 1_704_067_200_000)

    private func event(_ index: Int) -> Event {
        let number = index % 20
        let time = Self.start + Int64(index) * Milliseconds.minute
        let card = CustomerKey("card:\(number)")
        if index % 7 == 3 {
            return Event(
                customer: .user("\(number)"), time: time, identifiers: [Identifier(card)],
                body: .named(name: "Seen", properties: []))
        }
        return Event(
            messageID: UInt128(index + 1), customer: card, time: time,
            body: .order(OrderEvent(orderID: "o\(index)", change: .placed, revenue: 100)))
    }

    /// Counters that the commits of all shards show, by pair: sent and applied.
    private func counters(_ installation: SimulatedInstallation) throws -> (sent: [String: [UInt64]], applied: [String: [UInt64]])
    {
        var sent: [String: [UInt64]] = [:]
        var applied: [String: [UInt64]] = [:]
        for shard in installation.installation.shards.all {
            for commit in try installation.commits(Int(shard.number)) {
                for effect in try commit.steps.flatMap({ try $0.decodedEffects() }) {
                    switch effect {
                    case .messageSent(let to, let counter, _): sent["\(shard)>\(to)", default: []].append(counter)
                    case .messageApplied(let from, let counter): applied["\(from)>\(shard)", default: []].append(counter)
                    default: break
                    }
                }
            }
        }
        return (sent, applied)
    }

    @Test("each is applied once and in order, whatever becomes of acknowledgements and owners", arguments: [UInt64(0), 1, 2, 3])
    func crashes(seed: UInt64) async throws {
        let installation = try SimulatedInstallation(
            shards: 4, timeMode: .live, faults: seed == 0 ? .none : .some(seed: seed))
        var running: [Task<Void, any Error>] = []
        let count = 280
        for (round, worker) in workers.enumerated() {
            // The one before is not believed to live any more, and works on until it is fenced.
            running.append(installation.start(worker))
            try await installation.place(alive: [worker], owners: [0, 0, 0, 0])
            for shard in 0..<4 { _ = try await installation.awaitCommit(shard) { $0.owner == worker.description } }
            for index in round * count / 4..<(round + 1) * count / 4 {
                let event = event(index)
                let shard = installation.installation.shards.shard(of: event.customer)
                _ = try await installation.put(.events([event]), Int(shard.number))
            }
        }
        var orders: Int64 = 0
        var isDone = false
        while !isDone {
            try await installation.clock.sleep(until: installation.clock.now() + 200)
            let (sent, applied) = try counters(installation)
            orders = 0
            for shard in 0..<4 {
                for effect in try installation.commits(shard).flatMap(\.steps).flatMap({ try $0.decodedEffects() }) {
                    guard case .sums(let deltas) = effect else { continue }
                    orders += deltas.filter { $0.counter == .orders }.reduce(0) { $0 + $1.amount }
                }
            }
            isDone = orders == Int64((0..<count).count { $0 % 7 != 3 }) && sent.mapValues(\.count) == applied.mapValues(\.count)
        }
        let (sent, applied) = try counters(installation)
        #expect(!sent.isEmpty && sent == applied)
        for (pair, counters) in sent { #expect(counters == Array(1...UInt64(counters.count)), "\(pair)") }
        for worker in running {
            worker.cancel()
            try await worker.value
        }
        let final = try self.counters(installation)
        #expect(final.sent == sent && final.applied == applied, "nothing comes late")
    }
}
