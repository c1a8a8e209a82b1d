import Checkers
import Model
import Testing

/// The checkers alone, over records made by hand.
struct CheckerTests {
    private func records(_ commits: [Commit]) -> [LogRecord] {
        var hash: UInt128 = 0
        return commits.enumerated().map { index, commit in
            var commit = commit
            commit.previousHash = hash
            let encoded = commit.encoded()
            hash = encoded.hash
            return LogRecord(sequence: UInt64(index + 1), time: .distantPast, payload: encoded.bytes)
        }
    }

    private func commit(_ kind: Commit.Kind, _ epoch: UInt64, _ number: UInt64, _ owner: String, _ steps: [Step] = []) -> Commit {
        Commit(kind: kind, shard: ShardID(0), epoch: epoch, number: number, previousHash: 0, brain: 1, owner: owner, steps: steps)
    }

    private func check(_ commits: [Commit]) -> [String] {
        var checker = CommitLogChecker(shard: ShardID(0), timeMode: .eventTime)
        for record in records(commits) { checker.feed(record) }
        return checker.violations.map(\.promise)
    }

    @Test("I2 two who write in one epoch, and one who writes behind its release, are found")
    func owners() {
        let good = [
            commit(.fence, 1, 1, "a"), commit(.steps, 1, 2, "a"), commit(.released, 1, 3, "a"), commit(.fence, 2, 4, "b"),
        ]
        #expect(check(good).isEmpty)
        #expect(check([commit(.fence, 1, 1, "a"), commit(.steps, 1, 2, "b")]) == ["I2 one owner"])
        #expect(check([commit(.fence, 1, 1, "a"), commit(.released, 1, 2, "a"), commit(.steps, 1, 3, "a")]) == ["I2 one owner"])
        #expect(check([commit(.fence, 1, 1, "a"), commit(.fence, 3, 2, "b")]) == ["I2 one owner"])
        #expect(check([commit(.fence, 1, 1, "a"), commit(.steps, 1, 3, "a")]) == ["I3 whole commits"])
        #expect(check([commit(.steps, 0, 1, "")]) == ["I2 one owner"])
    }

    @Test("I4 a commit that does not name the hash of the one before it, and rules that go back, are found")
    func chain() {
        var checker = CommitLogChecker(shard: ShardID(0), timeMode: .eventTime)
        let apart =
            records([commit(.fence, 1, 1, "a")]) + [
                LogRecord(sequence: 2, time: .distantPast, payload: commit(.steps, 1, 2, "a").encoded().bytes)
            ]
        for record in apart { checker.feed(record) }
        #expect(checker.violations.map(\.promise) == ["I4 chain of hashes"])
        func step(_ configuration: UInt64) -> Step {
            Step(
                inputSequence: 1, eventsThrough: 1, clock: .distantPast, wakeUps: 0, configuration: configuration, effects: [])
        }
        #expect(check([commit(.fence, 1, 1, "a"), commit(.steps, 1, 2, "a", [step(2), step(1)])]) == ["I4 configuration"])
    }

    @Test("I6 a position or a clock that goes back is found")
    func positions() {
        func step(_ sequence: UInt64, _ clock: Int64) -> Step {
            Step(
                inputSequence: sequence, eventsThrough: 1, clock: Instant(milliseconds: clock), wakeUps: 0, configuration: 0,
                effects: [])
        }
        #expect(check([commit(.fence, 1, 1, "a"), commit(.steps, 1, 2, "a", [step(1, 5), step(2, 5)])]).isEmpty)
        let back = [commit(.fence, 1, 1, "a"), commit(.steps, 1, 2, "a", [step(2, 5), step(1, 4)])]
        #expect(check(back) == ["I6 input positions", "I6 time"])
    }

    @Test("I5 I9 I11 a second decision, a mail without a permit, a second mail, a second permit are found")
    func actions() {
        let action = ActionID(7)
        let customer = CustomerKey.user("c")
        let first = AttemptID(instance: 1, number: 1)
        let second = AttemptID(instance: 2, number: 1)
        let opened = Effect.actionOpened(
            ActionOpened(
                customer: customer, action: action, rule: RuleID(1), channel: .email, due: .distantPast, decided: .distantPast,
                deadline: .distantFuture, subject: ""))
        func granted(_ attempt: AttemptID) -> Effect {
            .permitGranted(
                PermitGrant(
                    customer: customer, action: action, attempt: attempt, rule: RuleID(1), channel: .email, address: "",
                    template: "",
                    fields: [], deadline: .distantFuture))
        }
        func promises(_ feed: (inout ActionChecker) -> Void) -> [String] {
            var checker = ActionChecker()
            feed(&checker)
            return checker.violations().map(\.promise)
        }
        let good = promises {
            $0.feed(opened)
            $0.feed(granted(first))
            $0.feedMail(action, first)
        }
        #expect(good.isEmpty)
        #expect(promises { for _ in 0..<2 { $0.feed(opened) } } == ["I5 one decision"])
        let premature = promises {
            $0.feed(opened)
            $0.feedMail(action, first)
        }
        #expect(premature == ["I9 permit first"])
        let twice = promises {
            $0.feed(opened)
            for attempt in [first, second] {
                $0.feed(granted(attempt))
                $0.feedMail(action, attempt)
            }
        }
        #expect(twice == ["I11 never twice", "I11 no permit twice"])
    }

    @Test("a message between shards that is lost, changed, early, out of order or applied twice is found")
    func messages() {
        let (one, two) = (ShardID(1), ShardID(2))
        func promises(_ feed: (inout MessageChecker) -> Void) -> Int {
            var checker = MessageChecker()
            for counter in 1...2 as ClosedRange<UInt64> {
                checker.feed(.messageSent(to: two, counter: counter, body: [UInt8(counter)]), of: one)
            }
            feed(&checker)
            return checker.violations().count
        }
        func apply(_ checker: inout MessageChecker, _ counters: UInt64...) {
            for counter in counters { checker.feed(.messageApplied(from: one, counter: counter), of: two) }
        }
        let good = promises {
            $0.feed(from: one, first: 1, [[1], [2]], to: two)
            $0.feed(from: one, first: 2, [[2]], to: two)
            $0.feed(.messagesDelivered(to: two, through: 2), of: one)
            apply(&$0, 1, 2)
            #expect($0.waiting == 0 && $0.repeats == 1)
        }
        #expect(good == 0)
        #expect(promises { _ in } == 1, "never applied")
        let changed = promises {
            $0.feed(from: one, first: 1, [[1], [3]], to: two)
            apply(&$0, 1, 2)
        }
        #expect(changed == 1)
        let gap = promises {
            $0.feed(from: one, first: 2, [[2]], to: two)
            apply(&$0, 1, 2)
        }
        #expect(gap == 1)
        let twice = promises {
            $0.feed(from: one, first: 1, [[1], [2]], to: two)
            apply(&$0, 1, 1, 2)
        }
        #expect(twice == 1)
        let early = promises {
            $0.feed(from: one, first: 1, [[1], [2], [3]], to: two)
            apply(&$0, 1, 2)
        }
        #expect(early == 1)
        #expect(promises { $0.feed(.messagesDelivered(to: two, through: 1), of: one) } == 2, "forgotten before it was brought")
    }

    @Test("I7 a dead letter that is missing, doubled, changed or taken again twice is found")
    func deadLetters() {
        let letter = SetAside(number: 1, inputSequence: 3, index: 0, arrived: .distantPast, reason: "trapped", message: [1])
        let origin = DeadEntryOrigin(shard: ShardID(0), commit: 2, index: 0)
        func record(_ entries: [DeadEntry]) -> LogRecord {
            LogRecord(sequence: 1, time: .distantPast, payload: DeadRecord(entries).encoded())
        }
        func found(_ effects: [Effect], _ entries: [DeadEntry]) -> Int {
            var checker = DeadLetterChecker()
            checker.feed(commit(.steps, 1, 2, "a"), effects)
            #expect(checker.open.isEmpty == effects.contains(.replayed(number: 1)))
            checker.feed(record(entries))
            return checker.violations().count
        }
        #expect(found([.setAside(letter)], [.setAside(origin, letter)]) == 0)
        #expect(found([.setAside(letter)], []) == 1)
        #expect(found([.setAside(letter)], [.setAside(origin, letter), .setAside(origin, letter)]) == 1)
        var other = letter
        other.reason = "otherwise"
        #expect(found([.setAside(letter)], [.setAside(origin, other)]) == 1)
        let later = (1...2).map { DeadEntryOrigin(shard: ShardID(0), commit: 2, index: $0) }
        let entries = [.setAside(origin, letter)] + later.map { DeadEntry.replayed($0, number: 1) }
        #expect(found([.setAside(letter), .replayed(number: 1), .replayed(number: 1)], entries) == 1)
    }
}
