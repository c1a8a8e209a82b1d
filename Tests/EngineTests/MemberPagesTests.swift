import Engine
import Foundation
import Model
import Testing

@Suite("B4 members of segments by pages")
struct MemberPagesTests {
    private func rules(revision: UInt64) -> RuleSet {
        RuleSet(
            revision: revision, consentAssumed: true,
            segments: [
                Segment(name: "buyers", condition: .orderCount(.atLeast, 1)),
                Segment(name: "nobody", condition: .orderCount(.atLeast, 9)),
            ])
    }

    @Test("B4 I8 every member once, in bounded pages, as many as are counted; nobody of another segment")
    func pages() async throws {
        let harness = try ShardHarness(rules: rules(revision: 1))
        let prefix = String(repeating: "\u{1}\"/", count: 60)
        let count = 2500
        for batch in 0..<5 {
            var events: [Event] = []
            for index in batch * 500..<(batch + 1) * 500 {
                let customer = CustomerKey.user(prefix + "\(index)")
                if index % 2 == 0 { events.append(Story.identify(at: Story.start, by: customer)) }
                if index % 5 != 0 { events.append(Story.order("o", .placed, 1, at: Story.start, by: customer)) }
                if index % 7 == 0 && index % 5 != 0 {
                    events.append(Story.order("o", .cancelled, 1, at: Story.start + 1, by: customer))
                }
            }
            try await harness.put(.events(events))
        }
        let expected = (0..<count).filter { $0 % 5 != 0 && $0 % 7 != 0 }
        let request = SegmentMembersRequest(segment: 0, revision: 1)
        let pages = await harness.memberPages(request)
        #expect(pages.count > 2 && pages.allSatisfy(\.isBroughtUp))
        for page in pages { #expect(try JSONEncoder().encode(page).count <= Limits.openPageBytesTarget + 4096) }
        let members = pages.flatMap(\.members)
        #expect(Set(members.map(\.customer)) == Set(expected.map { CustomerKey.user(prefix + "\($0)").text }))
        #expect(members.count == expected.count)
        var sums: [Counter: Int64] = [:]
        for case .sums(let deltas) in try await harness.effects() {
            for delta in deltas where delta.rule == SumDelta.key(ofSegment: 0) { sums[delta.counter, default: 0] += delta.amount }
        }
        #expect(sums[.members] == Int64(members.count))
        #expect(sums[.reachableMembers] == Int64(members.count { $0.isReachable }))
        #expect(members.count { $0.isReachable } == expected.count { $0 % 2 == 0 })
        let few = await harness.memberPages(SegmentMembersRequest(segment: 0, revision: 1, limit: 300))
        #expect(few.allSatisfy { $0.members.count <= 300 } && few.flatMap(\.members) == members)
        #expect(await harness.memberPages(SegmentMembersRequest(segment: 1, revision: 1)).flatMap(\.members).isEmpty)
    }

    @Test("B4 C17 a shard that has not taken in the revision says so")
    func behind() async throws {
        let harness = try ShardHarness(rules: rules(revision: 1))
        try await harness.put(.events([Story.order("o", .placed, 1, at: Story.start, by: .user("a"))]))
        let request = SegmentMembersRequest(segment: 0, revision: 2)
        #expect(await harness.memberPages(request).map(\.isBroughtUp) == [false])
        try await harness.adopt(rules(revision: 2))
        try await harness.put(.clock(.distantPast))
        let pages = await harness.memberPages(request)
        #expect(pages.map(\.isBroughtUp) == [true])
        #expect(pages.first?.members.map(\.customer) == ["u:a"])
    }
}
