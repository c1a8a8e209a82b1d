import Foundation
import Model
import Ports

/// What the shards have open, as they answer.
struct OpenDeliveries: Encodable {
    struct Permit: Encodable {
        var shard: Int
        var action: String
        var customer: String
        /// The run of a dispatcher that has the permit.
        var holder: String
    }

    /// Actions that wait for a permit.
    var waiting = 0
    /// Those that may be on their way, or gone: somebody has the permit.
    var permitted: [Permit] = []
    /// Shards that did not answer.
    var unknownShards: [Int] = []

    static func read(_ cluster: Cluster) async throws -> OpenDeliveries {
        var open = OpenDeliveries()
        for shard in cluster.installation.shards.all {
            do {
                try await open.add(shard, cluster.messaging)
            } catch is RequestError {
                open.unknownShards.append(Int(shard.number))
            }
        }
        return open
    }

    private mutating func add(_ shard: ShardID, _ messaging: any Messaging) async throws {
        var after: UInt32?
        repeat {
            let request = try JSONEncoder().encode(OpenActionsRequest(after: after))
            let answer = try await messaging.request("shard.\(shard).open", Array(request), timeout: .seconds(2))
            guard !answer.isEmpty else {
                unknownShards.append(Int(shard.number))
                return
            }
            let page = try JSONDecoder().decode(OpenActions.self, from: Data(answer))
            for action in page.actions where action.channel != Channel.record.name {
                guard let holder = action.grantedInstance else {
                    waiting += 1
                    continue
                }
                permitted.append(
                    Permit(shard: Int(shard.number), action: action.action, customer: action.customer, holder: holder))
            }
            after = page.next
        } while after != nil
    }

    func show() {
        print("\(Figures.count(waiting)) messages wait, \(Figures.count(permitted.count)) have a permit")
        for permit in permitted {
            print("  \(permit.action) to \(permit.customer): permitted to dispatcher \(permit.holder), may have left")
        }
        if !unknownShards.isEmpty {
            Output.note("not known, as they are not served: shards \(unknownShards.map(String.init).joined(separator: ", "))")
        }
    }
}

extension Cluster {
    /// Nil = nobody ever held delivery.
    func deliveryRecord() async throws -> DeliveryRecord? { try await readDelivery()?.record }

    private func readDelivery() async throws -> (record: DeliveryRecord, sequence: UInt64)? {
        do {
            guard let last = try await logs.last(of: .delivery) else { return nil }
            return (try JSONDecoder().decode(DeliveryRecord.self, from: Data(last.payload)), last.sequence)
        } catch let error as LogError {
            throw CommandError("whether delivery is held cannot be read: \(error.message)")
        }
    }

    /// Appends the record that `next` makes of the one that counts now; returns it.
    func changeDelivery(_ next: (DeliveryRecord?) throws -> DeliveryRecord) async throws -> DeliveryRecord {
        let last = try await readDelivery()
        let record = try next(last?.record)
        do {
            _ = try await logs.append(
                to: .delivery, Array(try JSONEncoder().encode(record)), expecting: last?.sequence ?? 0)
        } catch let error as LogError {
            // An answer that did not come may have been an acknowledgement.
            if let now = try await readDelivery(), now.record == record { return record }
            throw CommandError("the word was not taken, try again: \(error.message)")
        }
        return record
    }
}

extension DeliveryRecord {
    var sentence: String {
        let since = Instant(milliseconds: sinceMilliseconds).text
        let uncertain = uncertainDueBeforeMilliseconds.map {
            "; what was due before \(Instant(milliseconds: $0).text) is not sent, but listed as uncertain"
        }
        return "delivery: \(isHeld ? "HELD" : "released") since \(since), \(reason)" + (uncertain ?? "")
    }
}

extension Instant {
    static var wallClock: Instant { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

    /// UTC, as 2026-01-31T12:00:00Z.
    var text: String { Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(.iso8601) }

    init?(text: String) {
        guard let date = try? Date(text, strategy: .iso8601) else { return nil }
        self.init(milliseconds: Int64(date.timeIntervalSince1970 * 1000))
    }
}
