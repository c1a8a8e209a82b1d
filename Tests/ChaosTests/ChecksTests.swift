import Checkers
import Model
import Testing

@testable import chaos

/// Each check finds the fault that it is for, and finds nothing where nothing is wrong.
@Suite struct ChecksTests {
    private static let customer = CustomerKey.user("c1")
    private static let rule = RuleID(name: "review")
    private static let action = ActionID(77)
    private static let attempt = AttemptID(instance: 1, number: 1)

    @Test func `a run that hangs is ended, and the verdict says in what it hung`() async {
        let board = Board()
        board.enter("checking")
        let told = AsyncStream<String>.makeStream()
        Watchdog.watch(seconds: 0.01, board: board, end: { told.continuation.finish() }) { told.continuation.yield($0) }
        var words: [String] = []
        for await what in told.stream { words.append(what) }
        #expect(words.count == 1 && words[0].contains("hangs") && words[0].hasSuffix("while checking"), "\(words)")
    }

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

    private static func steps(_ effects: [Effect]) -> Step {
        var writer = ByteWriter()
        for effect in effects { effect.write(to: &writer) }
        return Step(
            inputSequence: 0, eventsThrough: 1, clock: .distantPast, wakeUps: 0, configuration: 0, effects: writer.bytes)
    }

    private static func commit(_ steps: [Step]) -> Commit {
        Commit(kind: .steps, shard: ShardID(0), epoch: 1, number: 2, previousHash: 0, brain: 1, owner: "w#1", steps: steps)
    }

    private func mailProblems(_ effects: [Effect], mails: Int) -> [String] {
        var books = Books()
        books.commit(Self.commit([Self.steps(effects)]))
        let mail = "Subject: x\r\nX-Reprise-Action: \(Self.action)\r\n\r\nText\r\n"
        let mailbox = Mailbox(mails: Array(repeating: mail, count: mails))
        for action in mailbox.actions { books.mail(action) }
        return books.violations + mailbox.violations + books.actions.violations(atRest: true).map(\.description)
    }

    @Test func `I11 a message that names no action is found`() {
        #expect(Mailbox(mails: ["Subject: x\r\n\r\nText\r\n"]).violations.count == 1)
    }

    @Test func `I11 a message that arrived once and is called sent is well`() {
        #expect(mailProblems([Self.opened, Self.granted, Self.closed(.sent)], mails: 1) == [])
    }

    @Test(arguments: [0, 1]) func `I11 an uncertain one may have arrived or not, with its reason`(mails: Int) {
        #expect(mailProblems([Self.opened, Self.granted, Self.closed(.uncertain, detail: "gone")], mails: mails) == [])
        #expect(mailProblems([Self.opened, Self.granted, Self.closed(.uncertain)], mails: mails).count == 1)
    }

    @Test(arguments: [
        ([opened, granted, closed(.sent)], 2, "left 2 times"), ([opened, granted, closed(.sent)], 0, "nothing left"),
        ([opened, granted], 1, "never closed"), ([opened, closed(.sent)], 1, "before the permit"),
        ([opened, granted, closed(.sent), closed(.uncertain, detail: "x")], 1, "closed 2 times"),
        ([opened, opened, granted, closed(.sent)], 1, "opened 2 times"), ([], 1, "opened 0 times"),
        ([opened, granted, closed(.undeliverable, .refusedByProvider)], 1, "called undeliverable"),
        ([opened, granted, closed(.undeliverable)], 0, "without a reason"),
        ([opened, closed(.withdrawn)], 0, "withdrawn without a reason"),
        ([opened, granted, closed(.withdrawn, .noConsent)], 1, "called withdrawn"),
        ([granted, closed(.sent)], 0, "opened 0 times"),
    ])
    func `I5 I7 I11 what does not fit is found`(_ effects: [Effect], mails: Int, what: String) {
        let found = mailProblems(effects, mails: mails)
        #expect(found.contains { $0.contains(what) }, "\(found)")
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
        books.commit(Self.commit([Self.steps([.sums(sums)])]))
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
        #expect(books.sums.compare(report) == [])
        report.revenue = 99
        #expect(books.sums.compare(report).count == 1)
    }
}
