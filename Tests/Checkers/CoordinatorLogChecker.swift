internal import Foundation
package import Model

/// Follows COORD: one coordinator per epoch, and placements that name who is there (I2). A value type; feed in order.
package struct CoordinatorLogChecker: Sendable {
    package private(set) var violations: [Violation] = []
    package private(set) var epoch: UInt64 = 0
    package private(set) var leader = ""
    private let shards: Int

    package init(shards: Int) { self.shards = shards }

    package mutating func feed(_ record: LogRecord) {
        guard let decision = try? JSONDecoder().decode(CoordinatorRecord.self, from: Data(record.payload)) else {
            return report("record \(record.sequence) cannot be read")
        }
        if decision.epoch < epoch || decision.epoch > epoch + 1 {
            report("record \(record.sequence) has epoch \(decision.epoch) after \(epoch)")
        }
        if decision.epoch == epoch && decision.coordinator != leader {
            report("epoch \(epoch) is \(leader)'s, record \(record.sequence) is \(decision.coordinator)'s")
        }
        epoch = decision.epoch
        leader = decision.coordinator
        let placement = decision.placement
        if placement.owners.count != shards || placement.alive != placement.alive.sorted() {
            report("record \(record.sequence) does not place every shard, or lists the living out of order")
        }
        if placement.owners.contains(where: { $0.map { !placement.alive.indices.contains($0) } ?? false }) {
            report("record \(record.sequence) names an owner who is not among the living")
        }
    }

    private mutating func report(_ what: String) { violations.append(Violation("I2 one coordinator", "COORD: " + what)) }
}
