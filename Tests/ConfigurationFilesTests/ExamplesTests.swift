internal import Foundation
import Model
import Testing

@testable import ConfigurationFiles

/// The repository, from where this file stands.
let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

@Suite struct `Example configurations` {
    private func load(_ path: String) throws(ConfigurationErrors) -> RuleSet {
        try ConfigurationFiles.load(paths: [repository.appending(path: path).path(percentEncoded: false)])
    }

    @Test func `the reference workload's rules`() throws {
        let set = try load("docs/examples/reference")
        #expect(set.rules.map(\.name) == ["lapsed", "reorder", "review"])
        #expect(set.memory == .none, "what the workload measures is what it says is kept")
        #expect(set.rules.allSatisfy { $0.action == .record && $0.hours == nil && $0.conversion == nil && $0.enabled })
        #expect(set.rules[0].mechanic == .timeSinceLastPurchase(afterMilliseconds: 60 * Milliseconds.day))
        #expect(set.rules[2].mechanic == .reviewRequest(afterMilliseconds: 3 * Milliseconds.day))
        guard case .regularConsumption(let periods, let ahead) = set.rules[1].mechanic else {
            Issue.record("reorder is regular consumption")
            return
        }
        #expect(ahead == 0)
        #expect(periods.defaultMilliseconds == nil)
        let expected = (0..<1000).map { ProductPeriod(product: "p\($0)", milliseconds: Int64(15 + $0 % 41) * Milliseconds.day) }
        #expect(periods.perProduct == expected.sorted { $0.product < $1.product })
    }

    @Test func `the CDNOW demo's rules`() throws {
        let set = try load("docs/examples/cdnow")
        #expect(set.currency == "USD")
        #expect(set.fulfilledOnPlaced)
        #expect(!set.consentAssumed)
        #expect(set.memory == .usual)
        #expect(set.rules.map(\.name) == ["next-cd", "come-back", "how-was-it"])
        #expect(set.templates.map(\.name) == ["next-cd", "come-back", "how-was-it"])
        #expect(set.rules.allSatisfy { $0.conversion != nil && $0.action.channel == .email })
    }

    @Test func `the catalogue has every mechanic, switched off`() throws {
        let set = try load("docs/examples/catalogue")
        #expect(set.rules.allSatisfy { !$0.enabled && $0.action.channel == .email })
        #expect(Set(set.rules.map(\.mechanic.name)) == Set(MechanicReader.names))
        let used = set.rules.map { rule in if case .email(let template) = rule.action { template } else { "" } }
        #expect(Set(used) == Set(set.templates.map(\.name)), "every text is used, and every rule has one")
        #expect(!set.contactLimits.isEmpty)
        #expect(set.rules.count { $0.isTransactional } == 1)
    }

    @Test func `the simulated shop's rules`() throws {
        let set = try load("docs/examples/shop")
        #expect(set.rules.count == 10)
        #expect(set.fulfilledOnPlaced)
        #expect(set.rules.allSatisfy { $0.action == .record && $0.enabled })
        let review = try #require(set.rules.first { $0.name == "review" })
        // The load test counts on it: every order that stands, seven days later.
        #expect(review.mechanic == .reviewRequest(afterMilliseconds: 7 * Milliseconds.day))
        #expect(review.goods == Goods() && review.hours == nil && review.inAll + review.inAny + review.inNone == [])
    }

    @Test(arguments: [
        "docs/examples/reference", "docs/examples/cdnow", "docs/examples/catalogue", "docs/examples/shop",
    ])
    func `printed again and loaded, they are the same`(path: String) throws {
        let set = try load(path)
        #expect(try ConfigurationFiles.load(sources: [("printed.yaml", set.yaml())]) == set)
        #expect(try RuleSet.decoded(set.encoded(), revision: 0) == set)
    }
}
