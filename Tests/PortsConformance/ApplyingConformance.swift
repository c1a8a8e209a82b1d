internal import Model
internal import Ports

/// Rule sets in CONFIG: what ``LogStore/apply(_:)`` makes of the store's promises.
enum ApplyingConformance {
    static let cases: [ConformanceCase<LogFixture>] = [
        ConformanceCase("segments keep their numbers from revision to revision", keeps),
        ConformanceCase("a rule set that changes nothing makes no revision", unchanged),
        ConformanceCase("of many who apply at once one does, and no segment's number is given twice", atOnce),
        ConformanceCase("I1 rules whose acknowledgement was lost are found by reading back", acknowledgementLost),
        ConformanceCase("rules are not applied over what cannot be read", unreadable),
        ConformanceCase("rules are refused when there are no numbers for their segments", usedUp),
    ]

    private static func rules(_ segments: [String]) -> RuleSet {
        RuleSet(segments: segments.map { Segment(name: $0, condition: .reachable(.email)) })
    }

    private static func numbers(_ set: RuleSet) -> [String] { set.segments.map { "\($0.name) \($0.number)" } }

    private static func newest(_ fixture: LogFixture) async throws -> RuleSet {
        guard let record = try await fixture.store.last(of: .configuration) else { return RuleSet() }
        return try RuleSet.decoded(record.payload, revision: record.sequence)
    }

    static func keeps(_ fixture: LogFixture) async throws {
        let first = try await fixture.store.apply(rules(["a", "b", "c"]))
        try expectEqual(numbers(first.rules), ["a 0", "b 1", "c 2"], "numbers of the first")
        let second = try await fixture.store.apply(rules(["d", "c", "a"]))
        try expectEqual(numbers(second.rules), ["d 3", "c 2", "a 0"], "numbers of the second")
        try expectEqual(second.rules.revision, 2, "revision")
        try expectEqual(try await newest(fixture), second.rules, "what stands in CONFIG")
        let third = try await fixture.store.apply(rules(["b", "a"]))
        try expectEqual(numbers(third.rules), ["b 4", "a 0"], "numbers of the third")
        try expect(third.isNew, "the third is new")
    }

    static func unchanged(_ fixture: LogFixture) async throws {
        _ = try await fixture.store.apply(rules(["a", "b"]))
        let second = try await fixture.store.apply(rules(["b"]))
        let again = try await fixture.store.apply(rules(["b"]))
        try expectEqual(again, AppliedRules(rules: second.rules, isNew: false), "the same again")
        try expectEqual(try await fixture.store.state(of: .configuration).last, 2, "last revision")
    }

    static func atOnce(_ fixture: LogFixture) async throws {
        _ = try await fixture.store.apply(rules(["s"]))
        var given: [UInt16: String] = [:]
        for round in 0..<5 {
            let results = await withTaskGroup(of: Result<AppliedRules, ApplyingFault>.self) { group in
                for applier in 0..<8 {
                    group.addTask {
                        do throws(ApplyingFault) {
                            return .success(try await fixture.store.apply(rules(["s", "of-\(round)-\(applier)"])))
                        } catch {
                            return .failure(error)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            for result in results {
                if case .failure(let fault) = result { try expectEqual(fault, .overtaken, "fault") }
            }
            try expect(results.contains { if case .success = $0 { true } else { false } }, "one was applied")
            for applied in results.compactMap({ try? $0.get() }) {
                for segment in applied.rules.segments {
                    let name = given.updateValue(segment.name, forKey: segment.number)
                    try expectEqual(name ?? segment.name, segment.name, "who has number \(segment.number)")
                }
            }
        }
    }

    static func acknowledgementLost(_ fixture: LogFixture) async throws {
        guard let loseAcknowledgement = fixture.loseAcknowledgement else { return }
        _ = try await fixture.store.apply(rules(["a"]))
        try await loseAcknowledgement(.configuration)
        let second = try await fixture.store.apply(rules(["b"]))
        try expectEqual(second.rules.revision, 2, "revision")
        try expectEqual(try await newest(fixture), second.rules, "what stands in CONFIG")
    }

    static func unreadable(_ fixture: LogFixture) async throws {
        _ = try await fixture.store.append(to: .configuration, [1, 2, 3])
        do throws(ApplyingFault) {
            _ = try await fixture.store.apply(rules(["a"]))
        } catch {
            guard case .unreadable(revision: 1, _) = error else { throw error }
            try expectEqual(try await fixture.store.state(of: .configuration).last, 1, "last revision")
            return
        }
        throw ConformanceFailure("rules were applied over what cannot be read", #fileID, #line)
    }

    static func usedUp(_ fixture: LogFixture) async throws {
        var first = rules(["a"])
        first.nextSegmentNumber = Segment.unnumbered
        _ = try await fixture.store.append(to: .configuration, first.encoded())
        do throws(ApplyingFault) {
            _ = try await fixture.store.apply(rules(["a", "b"]))
        } catch {
            try expectEqual(error, .numbersUsedUp, "fault")
            try expectEqual(try await fixture.store.state(of: .configuration).last, 1, "last revision")
            try expectEqual(numbers(try await fixture.store.apply(rules(["a"])).rules), ["a 0"], "one that has its number")
            return
        }
        throw ConformanceFailure("a segment without a number was applied", #fileID, #line)
    }
}
