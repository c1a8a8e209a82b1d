import Model
import Testing

/// Profiles and sums name segments by their numbers.
@Suite struct SegmentNumbersTests {
    private func set(_ names: String) -> RuleSet {
        RuleSet(segments: names.map { Segment(name: String($0), condition: .reachable(.email)) })
    }

    /// Nil when not all could be numbered.
    private func set(_ names: String, after previous: RuleSet?) -> RuleSet? {
        var set = set(names)
        return set.numberSegments(after: previous) ? set : nil
    }

    private func numbers(_ set: RuleSet) -> [String: UInt16] {
        Dictionary(uniqueKeysWithValues: set.segments.map { ($0.name, $0.number) })
    }

    @Test func `a segment keeps its number, and no other ever gets it`() throws {
        let second = try #require(set("cabd", after: set("abc")))
        #expect(numbers(second) == ["a": 0, "b": 1, "c": 2, "d": 3])
        let third = try #require(set("be", after: second))
        #expect(numbers(third) == ["b": 1, "e": 4])
        let fourth = try #require(set("ab", after: third))
        #expect(numbers(fourth) == ["a": 5, "b": 1], "what was away comes back as a new one")
        #expect(fourth.nextSegmentNumber == 6)
        #expect(set("", after: fourth)?.nextSegmentNumber == 6)
    }

    @Test func `over random changes, each through the binary form, no number is given twice`() throws {
        var random = RandomValues(seed: 3)
        var previous: RuleSet?
        var known: [String: UInt16] = [:]
        var given = 0
        for _ in 0..<300 {
            let names = String("abcdefghij".filter { _ in random.chance(60) }.shuffled(using: &random))
            let next = try #require(set(names, after: previous))
            for (name, number) in numbers(next).sorted(by: { $0.value < $1.value }) where known[name] != number {
                #expect(number == given, "never given before")
                given += 1
            }
            known = numbers(next)
            previous = try RuleSet.decoded(next.encoded(), revision: 0)
            #expect(previous == next)
        }
        #expect(given > 100)
    }

    @Test func `when all numbers were given, only segments that have one can stay`() throws {
        var previous = set("ab")
        previous.nextSegmentNumber = Segment.unnumbered - 1
        let last = try #require(set("bc", after: previous))
        #expect(numbers(last) == ["b": 1, "c": Segment.unnumbered - 1])
        #expect(set("bcd", after: last) == nil)
        #expect(set("c", after: last).map(numbers) == ["c": Segment.unnumbered - 1])
    }
}
