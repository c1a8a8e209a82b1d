import Model
import Testing

@testable import Engine

@Suite("F7 I7 what is set aside is applied later")
struct ReplayedLettersTests {
    private func rules(_ currency: String, revision: UInt64) -> RuleSet {
        RuleSet(revision: revision, currency: currency, rules: [Story.lapse(action: .record)])
    }

    private func order(_ id: String, message: UInt128 = 0) -> Event {
        Event(
            messageID: message, customer: Story.anna, time: Story.day(1),
            body: .order(OrderEvent(orderID: id, change: .placed, revenue: 500, currency: "CHF")))
    }

    private func letters(_ effects: [Effect]) -> [SetAside] {
        effects.compactMap { if case .setAside(let event) = $0 { event } else { nil } }
    }

    private func again(_ letter: SetAside) -> InputMessage { .replay(of: letter.number, message: letter.message) }

    @Test("I7 an event whose currency is unknown is applied once when it is known, however often it is replayed")
    func currency() async throws {
        let harness = try ShardHarness(rules: rules("EUR", revision: 1))
        let good = Story.order("good", .placed, 100, at: Story.day(1))
        let effects = try await harness.put(.events([good, order("bad", message: 77), Story.view(at: Story.day(1))]))
        let letter = try #require(letters(effects).first)
        #expect(letter.number == 1 && letter.inputSequence == 1 && letter.index == 1 && letter.isReplayable)
        #expect(try InputMessage.decoded(letter.message) == .events([order("bad", message: 77)]))

        let early = try await harness.put(again(letter))
        #expect(early.contains(.replayed(number: 1)))
        let second = try #require(letters(early).first)
        #expect(second.number == 2 && second.replayOf == 1 && second.message == letter.message)

        try await harness.adopt(rules("CHF", revision: 2))
        #expect(try await harness.put(again(letter)).sum(.events) == 0, "the first number has come again")
        #expect(try await harness.put(again(second)).sum(.events) == 1)
        for _ in 0..<3 { #expect(try await harness.put(again(second)).sum(.repeats) == 1) }
        #expect(await harness.view(Story.anna).orderCount == 2)
        #expect(try await harness.replay())
        for step in 1..<4 { #expect(try await harness.replay(from: step), "from a snapshot after \(step) steps") }
    }

    @Test("I7 replays of what was never set aside, and replays within replays, change nothing")
    func strangers() async throws {
        let harness = try ShardHarness(rules: rules("EUR", revision: 1))
        let good = InputMessage.events([Story.order("x", .placed, 1, at: Story.day(1))])
        #expect(try await harness.put(.replay(of: 5, message: good.encoded())).sum(.events) == 0)
        let letter = try #require(letters(try await harness.put(.events([order("bad")]))).first)
        let nested = InputMessage.replay(of: 1, message: again(letter).encoded())
        #expect(letters(try await harness.put(nested)).map(\.reason) == ["invalid replay within a replay at byte 2"])
        #expect(try await harness.replay())
    }

    @Test("I7 a damaged message and an unreadable rest are kept to the byte")
    func whole() async throws {
        let harness = try ShardHarness(rules: rules("EUR", revision: 1))
        let damaged: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
        let letter = try #require(letters(try await harness.put(bytes: [damaged])).first)
        #expect(letter.message == damaged && letter.size == 12)
        let again = letters(try await harness.put(again(letter)))
        #expect(again.map(\.message) == [damaged] && again.map(\.replayOf) == [1])
        #expect(try await harness.replay())
    }

    @Test("I8 what is too large is kept in part, says so, and cannot be replayed")
    func large() {
        let letter = SetAside(
            number: 1, inputSequence: 1, index: 0, arrived: Story.start, reason: "r",
            message: [UInt8](repeating: 0, count: Limits.setAsideBytesMax + 1))
        #expect(letter.message.count == Limits.setAsideBytesMax && !letter.isReplayable)
        #expect(Int(letter.size) == Limits.setAsideBytesMax + 1)
    }

    @Test("I4 a replay of many events over several steps", arguments: [Limits.stepEventsMax - 1, Limits.stepEventsMax])
    func manySteps(before: Int) async throws {
        // All of the first message fail to be decoded behind an unknown kind: its rest is one letter of many events.
        let harness = try ShardHarness(rules: rules("EUR", revision: 1))
        let events = (0..<20).map { Story.view(at: Story.day(1) + Int64($0)) }
        let message = InputMessage.events(events).encoded()
        var broken = message
        broken[broken.count - 1] ^= 1
        let letter = try #require(letters(try await harness.put(bytes: [broken])).first)
        #expect(letter.message == broken)
        let many = InputMessage.events((0..<before).map { _ in Story.view(at: Story.day(2)) }).encoded()
        let effects = try await harness.put(bytes: [many, InputMessage.replay(of: 1, message: message).encoded()])
        #expect(effects.sum(.events) == Int64(before + 20))
        #expect(try await harness.replay())
    }

    @Test("numbers of what was replayed join into runs and are known for good")
    func runs() throws {
        var numbers = SetAsideNumbers()
        for _ in 0..<100 { _ = numbers.next() }
        var dice = Dice(seed: 3)
        var known: Set<UInt64> = []
        for _ in 0..<400 {
            let number = UInt64(dice.below(110))
            let isNew = number >= 1 && number <= 100 && known.insert(number).inserted
            #expect(numbers.replay(number) == (isNew ? .taken : .repeated))
            var writer = ByteWriter()
            numbers.write(to: &writer)
            var reader = ByteReader(writer.bytes)
            #expect(try SetAsideNumbers.read(&reader) == numbers)
        }
        #expect(numbers.replayed == UInt64(known.count))
    }
}
