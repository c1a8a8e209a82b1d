import Foundation
import Model
import Testing

/// What roles say to each other as JSON, read by a program of another version. The binary forms: `DamageTests`.
@Suite struct FormatVersionTests {
    private func json(_ value: some Encodable) throws -> [String: Any] {
        let data = try JSONEncoder().encode(value)
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private func read<Value: Decodable>(_ type: Value.Type, _ fields: [String: Any]) throws -> Value {
        try JSONDecoder().decode(type, from: JSONSerialization.data(withJSONObject: fields))
    }

    /// A field more within the version is passed over; another version is refused, and both are named.
    private func check<Value: Codable & Equatable>(_ value: Value) throws {
        var fields = try json(value)
        fields["aFieldOfLater"] = ["x": 1]
        #expect(try read(Value.self, fields) == value)
        fields["version"] = 9
        let error = #expect(throws: UnknownVersion.self) { try read(Value.self, fields) }
        #expect(error?.found == 9)
        #expect(error?.description.contains("of version 9, this program knows version") == true)
        #expect(error?.description.contains("upgrade this one") == true)
    }

    @Test func `messages of a newer program are read within a version and refused beyond it`() throws {
        let worker = WorkerID(name: "w", instance: "1")
        let shards = [ShardStatus(shard: 3, phase: .serving, commit: 7)]
        try check(WorkerHeartbeat(worker: worker, brain: 2, draining: false, shards: shards, residentBytes: 1))
        try check(CoordinatorHeartbeat(coordinator: "c#1", epoch: 2))
        try check(FollowerProgress(worker: worker, brain: 1, commit: 3))
        try check(CaughtUpRequest(commits: [1: 2], timeoutMilliseconds: 5))
        try check(OrdersRequest(rule: "r"))
        try check(
            SegmentsReport(rows: [.init(name: "s", title: "S", members: 2, reachableMembers: 1)], customers: 3, lagCommits: 4))
        try check(SegmentMembersRequest(segment: 1, revision: 2, after: 3, limit: 4))
        try check(SegmentMembers(isBroughtUp: true, next: 5))
        try check(TrustRequest(shards: [1]))
        try check(AwaitRequest(inputSequence: 1, withoutOpenActions: true, timeoutMilliseconds: 2))
    }

    @Test func `a record of COORD of another version is refused by its version, whatever else it holds`() throws {
        let placement = PlacementRecord(alive: [], owners: [nil], trusted: [TrustedEnd(shard: 0, commit: 3)])
        try check(CoordinatorRecord(epoch: 1, coordinator: "c#1", placement: placement))
        let error = #expect(throws: UnknownVersion.self) {
            try read(CoordinatorRecord.self, ["version": 99, "placements": "of another kind"])
        }
        #expect(error?.description.hasPrefix("a record of COORD of version 99") == true)
        let older = #expect(throws: UnknownVersion.self) { try read(CoordinatorRecord.self, ["version": 0]) }
        #expect(older?.description.contains("it is older than what can be read") == true)
    }

    @Test func `status of a worker that tells less is read`() throws {
        var fields = try json(ShardStatus(shard: 1, phase: .serving))
        fields["neededBrain"] = nil
        fields["problem"] = nil
        #expect(try read(ShardStatus.self, fields).neededBrain == nil)
    }

    @Test func `a whole input message of a newer program is told from damage`() {
        var bytes = InputMessage.clock(Instant(milliseconds: 1_704_067_200_000)).encoded()
        #expect(InputMessage.newerVersion(of: bytes) == nil)
        bytes[1] = 200
        #expect(InputMessage.newerVersion(of: bytes) == nil, "only damaged: its checksum is wrong")
        var writer = ByteWriter()
        writer.bytes = Array(bytes.dropLast(8))
        writer.fixed(Hashing.hash64(writer.bytes))
        #expect(InputMessage.newerVersion(of: writer.bytes)?.found == 200)
        #expect(InputMessage.newerVersion(of: []) == nil)
    }
}
