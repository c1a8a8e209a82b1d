import Engine
import Foundation
import Model
import Testing

@Suite("I8 open actions by pages")
struct OpenPagesTests {
    private let rules = Story.rules([Story.lapse(after: 10)], consentAssumed: true)

    @Test("I8 every open action once, in pages that fit a message, in the order that a restored shard gives too")
    func pages() async throws {
        let harness = try ShardHarness(rules: rules)
        // Keys at their longest, full of what JSON has to escape.
        let prefix = String(repeating: "\u{1}\"/", count: 60)
        let count = 3000
        for batch in 0..<6 {
            var events: [Event] = []
            for index in batch * 500..<(batch + 1) * 500 {
                let customer = CustomerKey.user(prefix + "\(index)")
                events.append(Story.identify(at: Story.start, by: customer))
                if index % 3 != 0 { events.append(Story.order("o", .placed, 1, at: Story.start, by: customer)) }
            }
            try await harness.put(.events(events))
        }
        try await harness.clock(Story.day(10))
        let pages = await harness.openPages()
        #expect(pages.count > 3)
        for page in pages {
            let bytes = try JSONEncoder().encode(OpenActions(commit: .max, actions: page, next: .max)).count
            #expect(bytes <= Limits.openPageBytesTarget + 2048)
        }
        let opened = try await harness.effects().opened.map(\.action.description)
        #expect(opened.count == count * 2 / 3)
        #expect(pages.flatMap { $0.map(\.action) } == opened)
    }
}
