import Foundation
import Model
import Ports

/// Asks all shards who is in a segment.
struct MemberReader {
    private let cluster: Cluster
    private let segment: UInt16
    private let revision: UInt64

    /// How long shards that take in a new configuration are waited for.
    private static let patience = Duration.seconds(60)

    /// Throws when no segment of the newest configuration has this name.
    init(cluster: Cluster, segment name: String) async throws {
        guard let record = try await cluster.logs.last(of: .configuration) else {
            throw CommandError("no rules were applied yet, so there are no segments")
        }
        let rules = try RuleSet.decoded(record.payload, revision: record.sequence)
        guard let segment = rules.segments.first(where: { $0.name == name }) else {
            let known = rules.segments.map(\.name).prefix(20).joined(separator: ", ")
            throw CommandError("there is no segment '\(name)'" + (known.isEmpty ? "" : "; there are \(known)"))
        }
        self.cluster = cluster
        self.segment = segment.number
        revision = record.sequence
    }

    /// So many, evenly from all shards as far as they have them.
    func sample(_ limit: Int) async throws -> [SegmentMembers.Member] {
        var found: [[SegmentMembers.Member]] = []
        for shard in cluster.installation.shards.all {
            var members: [SegmentMembers.Member] = []
            try await pages(of: shard, limit: limit) { page in
                members += page
                return members.count < limit
            }
            found.append(members)
        }
        var sample: [SegmentMembers.Member] = []
        for place in 0..<(found.map(\.count).max() ?? 0) {
            for members in found where place < members.count && sample.count < limit { sample.append(members[place]) }
        }
        return sample
    }

    func all() async throws -> [SegmentMembers.Member] {
        var all: [SegmentMembers.Member] = []
        for shard in cluster.installation.shards.all {
            try await pages(of: shard) { page in
                all += page
                return true
            }
        }
        return all
    }

    /// Page after page of one shard, until `take` wants no more.
    func pages(
        of shard: ShardID, limit: Int = .max, _ take: ([SegmentMembers.Member]) async throws -> Bool
    ) async throws {
        var after: UInt32?
        repeat {
            let page = try await page(of: shard, after: after, limit: limit)
            guard try await take(page.members) else { return }
            after = page.next
        } while after != nil
    }

    private func page(of shard: ShardID, after: UInt32?, limit: Int) async throws -> SegmentMembers {
        let request = SegmentMembersRequest(segment: segment, revision: revision, after: after, limit: limit)
        let bytes = Array(try JSONEncoder().encode(request))
        let deadline = ContinuousClock.now + Self.patience
        while true {
            let answer = try await cluster.ask("shard.\(shard).members", bytes, of: "shard \(shard)")
            // Nothing, from an owner that is going or busy.
            if !answer.isEmpty {
                let page = try JSONDecoder().decode(SegmentMembers.self, from: Data(answer))
                if page.isBroughtUp { return page }
            }
            guard ContinuousClock.now < deadline else {
                throw CommandError(
                    "shard \(shard) has not taken in the newest configuration within a minute; see `reprise status`")
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
