import Model
import Testing

@testable import chaos

/// Each check finds the fault that it is for, and finds nothing where nothing is wrong.
@Suite struct ChecksTests {
    private static let customer = CustomerKey.user("c1")
    private static let rule = RuleID(name: "review")
    private static let action = ActionID(77)
    private static let attempt = AttemptID(instance: 1, number: 1)

    // MARK: Mailbox

    private static let opened = Effect.actionOpened(
        ActionOpened(
            customer: customer, action: action, rule: rule, channel: .email, due: .distantPast, decided: .distantPast,
            deadline: .distantFuture, subject: ""))
    private static let granted = Effect.permitGranted(
        PermitGrant(
            customer: customer, action: action, attempt: attempt, rule: rule, channel: .email, address: "a@b.example",
            template: "letter", fields: [], deadline: .distantFuture))

    private static func closed(_ outcome: Outcome, _ reason: Reason = .none, detail: String = "") -> Effect {
        .actionClosed(
            ActionClosed(
                customer: customer, action: action, rule: rule, outcome: outcome, reason: reason, time: .distantPast,
                detail: detail))
    }

    private static func steps(_ effects: [Effect], input: UInt64 = 0) -> Step {
        var writer = ByteWriter()
        for effect in effects { effect.write(to: &writer) }
        return Step(
            inputSequence: input, eventsThrough: 1, clock: .distantPast, wakeUps: 0, configuration: 0, effects: writer.bytes)
    }

    private static func commit(
        _ number: UInt64, _ kind: Commit.Kind = .steps, epoch: UInt64 = 1, after hash: UInt128, owner: String = "w#1",
        _ steps: [Step] = []
    ) -> Commit {
        Commit(
            kind: kind, shard: ShardID(0), epoch: epoch, number: number, previousHash: hash, brain: 1, owner: owner, steps: steps)
    }

    private func mailProblems(_ effects: [Effect], mails: Int) -> [String] {
        var books = Books()
        books.commit(Self.commit(2, after: 0, [Self.steps(effects)]))
        let mail = "Subject: x\r\nX-Reprise-Action: \(Self.action)\r\n\r\nText\r\n"
        return books.violations + MailCheck(mails: Array(repeating: mail, count: mails)).compare(with: books.actions)
    }

    @Test func `I11 a message that arrived once and is called sent is well`() {
        #expect(mailProblems([Self.opened, Self.granted, Self.closed(.sent)], mails: 1) == [])
    }

    @Test(arguments: [0, 1]) func `I11 an uncertain one may have arrived or not, with its reason`(mails: Int) {
        #expect(mailProblems([Self.opened, Self.granted, Self.closed(.uncertain, detail: "gone")], mails: mails) == [])
        #expect(mailProblems([Self.opened, Self.granted, Self.closed(.uncertain)], mails: mails).count == 1)
    }

    @Test(arguments: [
        ([opened, granted, closed(.sent)], 2, "arrived 2 times"), ([opened, granted, closed(.sent)], 0, "no message arrived"),
        ([opened, granted], 1, "closed 0 times"), ([opened, closed(.sent)], 1, "without a permit"),
        ([opened, granted, closed(.sent), closed(.uncertain, detail: "x")], 1, "closed 2 times"),
        ([opened, opened, granted, closed(.sent)], 1, "opened 2 times"), ([], 1, "nobody decided it"),
        ([opened, granted, closed(.undeliverable, .refusedByProvider)], 1, "counted as undeliverable"),
        ([opened, granted, closed(.undeliverable)], 0, "without a reason"),
        ([opened, closed(.withdrawn)], 0, "withdrawn without a reason"),
        ([opened, granted, closed(.withdrawn, .noConsent)], 1, "withdrawn, and"),
        ([granted, closed(.sent)], 0, "never opened"),
    ])
    func `I5 I7 I11 what does not fit is found`(_ effects: [Effect], mails: Int, what: String) {
        let found = mailProblems(effects, mails: mails)
        #expect(found.contains { $0.contains(what) }, "\(found)")
    }

    // MARK: Commits

    /// The commits as records, each with the hash of the one before unless it is given.
    private func check(_ commits: [(UInt128) -> Commit]) -> [String] {
        var check = LogCheck(shard: ShardID(0))
        var hash: UInt128 = 0
        for (index, make) in commits.enumerated() {
            let encoded = make(hash).encoded()
            hash = encoded.hash
            _ = check.follow(LogRecord(sequence: UInt64(index + 1), time: .distantPast, payload: encoded.bytes))
        }
        return check.violations
    }

    private static func fence(_ hash: UInt128) -> Commit { commit(1, .fence, after: hash) }

    @Test func `I2 I3 owners that follow each other behind fences are well`() {
        let found = check([
            Self.fence, { Self.commit(2, after: $0, [Self.steps([], input: 1)]) }, { Self.commit(3, .released, after: $0) },
            { Self.commit(4, .fence, epoch: 2, after: $0, owner: "v#1") },
            { Self.commit(5, epoch: 2, after: $0, owner: "v#1", [Self.steps([], input: 2)]) },
        ])
        #expect(found == [])
    }

    @Test func `I2 I4 I6 a broken chain is found`() {
        let broken: [(String, [(UInt128) -> Commit])] = [
            ("stands at", [Self.fence, { Self.commit(3, after: $0) }]),
            ("hash", [Self.fence, { _ in Self.commit(2, after: 5) }]),
            ("has the fence", [Self.fence, { Self.commit(2, after: $0, owner: "v#1") }]),
            ("epoch", [Self.fence, { Self.commit(2, epoch: 2, after: $0) }]),
            ("behind", [Self.fence, { Self.commit(2, .fence, epoch: 3, after: $0) }]),
            ("without a fence", [Self.fence, { Self.commit(2, .released, after: $0) }, { Self.commit(3, after: $0) }]),
            (
                "goes back to input",
                [
                    Self.fence, { Self.commit(2, after: $0, [Self.steps([], input: 2)]) },
                    { Self.commit(3, after: $0, [Self.steps([], input: 1)]) },
                ]
            ),
        ]
        for (what, commits) in broken {
            let found = check(commits)
            #expect(found.contains { $0.contains(what) }, "\(what): \(found)")
        }
    }

    // MARK: Ledger

    private func books(_ orders: [(String, Int64)]) -> Books {
        var books = Books()
        let events = orders.map { id, revenue in
            Event(
                customer: Self.customer, time: .distantPast,
                body: .order(OrderEvent(orderID: id, change: .placed, revenue: revenue)))
        }
        books.input(
            LogRecord(sequence: 1, time: .distantPast, payload: InputMessage.events(events).encoded()), shard: ShardID(0))
        let distinct = Dictionary(orders) { first, _ in first }
        let sums = [
            SumDelta(.customers, amount: 1), SumDelta(.orders, amount: Int64(distinct.count)),
            SumDelta(.revenue, amount: distinct.values.reduce(0, +)), SumDelta(.events, amount: Int64(orders.count)),
        ]
        books.commit(Self.commit(2, after: 0, [Self.steps([.sums(sums)])]))
        return books
    }

    private func ledger(acknowledged: [String], unknown: [String] = [], refused: [String] = []) -> Ledger {
        var ledger = Ledger()
        let order = Ledger.Order(customer: Self.customer, revenue: 100)
        for id in acknowledged { ledger.acknowledged[id] = order }
        for id in unknown { ledger.unknown[id] = order }
        for id in refused { ledger.refused[id] = order }
        return ledger
    }

    @Test func `I1 acknowledged once, sent twice, unknown: all well`() {
        let books = books([("a", 100), ("a", 100), ("u", 100)])
        #expect(BookCheck.compare(ledger(acknowledged: ["a"], unknown: ["u", "v"]), with: books) == [])
    }

    @Test func `I1 an order that is lost, strange, refused or changed is found`() {
        let cases: [(String, Ledger, [(String, Int64)])] = [
            ("is not in IN", ledger(acknowledged: ["a", "b"]), [("a", 100)]),
            ("was never sent", ledger(acknowledged: []), [("a", 100)]),
            ("was refused and", ledger(acknowledged: [], refused: ["a"]), [("a", 100)]),
            ("another content", ledger(acknowledged: ["a"]), [("a", 99)]),
            ("two contents", ledger(acknowledged: ["a"]), [("a", 100), ("a", 99)]),
        ]
        for (what, ledger, orders) in cases {
            let found = BookCheck.compare(ledger, with: books(orders))
            #expect(found.contains { $0.contains(what) }, "\(what): \(found)")
        }
    }

    @Test func `I10 sums that the coordinator tells otherwise are found`() {
        let books = books([("a", 100)])
        var report = MechanicsReport(currency: "USD", currencyDigits: 2, rows: [], lagCommits: 0)
        report.customers = 1
        report.orders = 1
        report.revenue = 100
        report.events = 1
        #expect(BookCheck.compare(report, with: books) == [])
        report.revenue = 99
        #expect(BookCheck.compare(report, with: books).count == 1)
    }
}
