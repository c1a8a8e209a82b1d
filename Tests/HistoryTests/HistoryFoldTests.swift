import Model
import Ports
import SimulatedPorts
import Testing

@testable import History

/// A7: what becomes of inputs and effects.
@Suite struct HistoryFoldTests {
    /// Folds all commits, each step given what it asks for.
    private func folded(_ maker: LogMaker, isLive: Bool = false) throws -> (rows: [HistoryRow], position: HistoryPosition) {
        var fold = HistoryFold(shard: maker.shard, isLive: isLive)
        var position = HistoryPosition.start
        for record in maker.commits {
            let commit = try position.follow(record, of: maker.shard, isBehindGap: false)
            for step in commit.steps {
                let needed = position.inputNeeded
                let inputs = maker.inputs.filter { $0.sequence >= needed && $0.sequence <= step.inputSequence }
                try fold.add(step, inputs: inputs, from: &position)
            }
        }
        return (fold.take(), position)
    }

    private func events(_ rows: [HistoryRow]) -> [HistoryEvent] {
        rows.compactMap { if case .event(let event) = $0 { event } else { nil } }
    }

    @Test func `A7 an order stands in the timeline in brief, and each event once`() throws {
        var maker = LogMaker()
        let first = maker.input(.events([placed("o1", of: "u:1", message: 7), viewed("p", by: "u:2")]))
        maker.commit([maker.step(first, 2)])
        let found = events(try folded(maker).rows)
        #expect(found.map(\.customer.text) == ["u:1", "u:2"])
        #expect(found.map(\.kind) == ["order placed", "product viewed"])
        #expect(found[0].orderID == "o1" && found[0].amount == 1250 && found[0].products == "tea ×2, milk")
        #expect(found.map(\.message) == [Halves(7), Halves(0)])
    }

    @Test("A7 however steps and commits divide the inputs, the rows are the same", arguments: 1...20 as ClosedRange<UInt64>)
    func divisions(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var whole = LogMaker()
        for message in 0..<8 {
            whole.input(
                message == 3
                    ? .clock(LogMaker.start) : .events((0...random.next() % 5).map { placed("o\(message)-\($0)", of: "u:\($0)") })
            )
        }
        var pieces = whole
        whole.commit([whole.step(8, 100)])
        var step: [Step] = []
        for record in pieces.inputs {
            let count: UInt32 =
                if case .events(let events) = try InputMessage.decoded(record.payload) { UInt32(events.count) } else { 1 }
            var through: UInt32 = 0
            while through < count {
                through = min(count, through + UInt32(random.next() % 3))
                if random.next() % 3 > 0 { step.append(pieces.step(record.sequence, through)) }
                if !step.isEmpty, random.next() % 2 == 0 {
                    pieces.commit(step)
                    step = []
                }
            }
        }
        pieces.commit(step + [pieces.step(8, 100)])
        #expect(try events(folded(pieces).rows) == events(folded(whole).rows))
        #expect(try folded(pieces).position.inputNeeded == folded(whole).position.inputNeeded)
    }

    @Test func `A7 what was set aside says so, and what is replayed counts once it was taken`() throws {
        var maker = LogMaker()
        let first = maker.input(.events([placed("o1", of: "u:1", message: 7)]))
        let message = InputMessage.events([placed("o1", of: "u:1", message: 7)]).encoded()
        let aside = SetAside(number: 1, inputSequence: first, index: 0, arrived: LogMaker.start, reason: "odd", message: message)
        maker.commit([maker.step(first, 1, [.setAside(aside)])])
        let second = maker.input(.replay(of: 1, message: message))
        let third = maker.input(.replay(of: 1, message: message))
        maker.commit([maker.step(second, 1, [.replayed(number: 1)]), maker.step(third, UInt32(Int32.max))])
        let found = events(try folded(maker).rows)
        #expect(found.map(\.note) == ["odd", ""])
        #expect(found.map(\.isReplay) == [false, true])
    }

    @Test func `A7 an event that was passed on stands where it was applied, and only there`() throws {
        var maker = LogMaker()
        let own = placed("o1", of: "a:9", message: 7)
        var passed = own
        passed.customer = CustomerKey("u:1")
        let body = ShardMessage.event(passed, arrived: LogMaker.start).encoded()
        let first = maker.input(.events([viewed("p", by: "u:3"), own, viewed("q", by: "u:3")]))
        maker.commit([maker.step(first, 3, [.messageSent(to: ShardID(1), counter: 1, body: body)])])
        let rows = try folded(maker).rows
        #expect(events(rows).map(\.customer.text) == ["u:3", "u:3"])
        #expect(rows.contains(.mark(CustomerKey("a:9"), leadsTo: CustomerKey("u:1"))))
        #expect(rows.contains(.passedOn(message: Halves(7), time: own.time)))

        // The other shard takes the message once, whatever comes again.
        var other = LogMaker(shard: 1)
        let came = other.input(.messages(source: ShardID(0), first: 1, bodies: [body]))
        let again = other.input(.messages(source: ShardID(0), first: 1, bodies: [body]))
        other.commit([other.step(came, 1, [.messageApplied(from: ShardID(0), counter: 1)]), other.step(again, 1)])
        #expect(try events(folded(other).rows).map(\.customer.text) == ["u:1"])
    }

    @Test func `A7 every decision keeps its reason`() throws {
        var maker = LogMaker()
        let customer = CustomerKey("u:1")
        let action = ActionID(5)
        let rule = RuleID(name: "review")
        let now = LogMaker.start
        let decision = Decision(customer: customer, action: action, rule: rule, due: now, decided: now, reason: .noConsent)
        let opened = ActionOpened(
            customer: customer, action: action, rule: rule, channel: .email, due: now, decided: now, deadline: now, subject: "tea"
        )
        let grant = PermitGrant(
            customer: customer, action: action, attempt: AttemptID(instance: 1, number: 1), rule: rule, channel: .email,
            address: "a@b.de", template: "letter", fields: [], deadline: now)
        let closed = ActionClosed(
            customer: customer, action: action, rule: rule, outcome: .withdrawn, reason: .noLongerWanted, time: now)
        let credit = Attribution(
            customer: customer, action: action, rule: rule, orderID: "o1", kind: .converted, revenue: 500, sales: 1,
            conversions: 1, time: now)
        let effects: [Effect] = [
            .suppressed(decision), .postponed(decision, until: now + 5), .actionOpened(opened), .permitGranted(grant),
            .permitDenied(customer: customer, action: action, attempt: AttemptID(instance: 1, number: 2), reason: .quietHours),
            .actionClosed(closed), .attributed(credit), .actionMoved(opened),
            .merged(CustomerKey("a:2"), into: customer, time: now),
            .sums([SumDelta(.events, amount: 1)]),
        ]
        maker.commit([maker.step(0, 0, effects)])
        let rows = try folded(maker).rows
        let decisions = rows.compactMap { if case .decision(let decision) = $0 { decision } else { nil } }
        #expect(Set(decisions.map(\.kind)) == Set(HistoryDecision.Kind.allCases))
        #expect(
            decisions.map(\.reason) == [.noConsent, .noConsent, .none, .none, .quietHours, .noLongerWanted, .none, .none])
        #expect(decisions.last { $0.kind == .attributed }?.orderID == "o1")
        // The customer's address is in no row.
        #expect(!"\(rows)".contains("a@b.de"))
        #expect(rows.last == .merged(CustomerKey("a:2"), into: customer, time: now))
    }

    @Test func `I8 a long list is cut at whole characters and says so`() {
        let text = HistoryEvent.cut(String(repeating: "ä", count: 1000))
        #expect(text.utf8.count <= Limits.historyTextBytesMax && text.hasSuffix("ä…"))
        #expect(HistoryEvent.cut("short") == "short")
    }
}
