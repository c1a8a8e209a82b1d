import Gateway
import Model
import SimulatedPorts
import Testing

/// F6: a customer that sends too fast is held up, and nobody else.
@Suite("F6 a customer that sends too fast") struct AdmissionTests {
    private static let start = Instant(milliseconds: 1_700_000_000_000)
    private static let settings = CustomerPace.Settings(perMinute: 600, burst: 50)

    private func view(_ customer: String, _ message: UInt128) -> Event {
        Event(
            messageID: message, customer: .user(customer), time: Self.start,
            body: .product(ProductEvent(kind: .viewed, product: Product(id: "p"))))
    }

    @Test(
        "F6 it gets its share to the event, whatever the pattern, and comes again when it was told",
        arguments: 1...8 as ClosedRange<UInt64>)
    func share(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var pace = CustomerPace(Self.settings)
        var now = Self.start
        var taken = 0
        while now - Self.start < 10 * Milliseconds.minute {
            let count = Int(random.next() % 20) + 1
            let wait = pace.wait(7, count, now: now)
            if wait == 0 {
                pace.charge(7, count, now: now)
                taken += count
            } else {
                #expect(pace.wait(7, count, now: now + wait) == 0, "the time told is right")
                #expect(pace.wait(7, count, now: now + (wait - 1)) > 0, "and not longer than needed")
            }
            now = now + Int64(random.next() % 800)
            let bound = 50 + (now - Self.start) / 100
            #expect(taken <= Int(bound) + 1)
        }
        #expect(taken >= 5500, "\(taken) of 6000")
    }

    @Test("F6 with a hundred hot customers, of 20,000 others none is held up, and the memory is what it was")
    func others() {
        var pace = CustomerPace(.init(perMinute: 1200, burst: 3000))
        var random = SplitMix(seed: 1)
        let hot = (0..<100).map { _ in random.next() }
        let cold = (0..<20_000).map { _ in random.next() }
        var held = 0
        var now = Self.start
        for second in 0..<10 {
            for customer in hot {
                // 100,000 a minute each.
                for _ in 0..<2 where pace.wait(customer, 800, now: now) == 0 { pace.charge(customer, 800, now: now) }
            }
            for (index, customer) in cold.enumerated() where index % 10 == second {
                if pace.wait(customer, 3, now: now) > 0 { held += 1 } else { pace.charge(customer, 3, now: now) }
            }
            now = now + Milliseconds.second
        }
        #expect(held == 0)
        #expect(hot.allSatisfy { pace.wait($0, 1000, now: now) > 0 })
    }

    @Test("F6 I1 the others' events go on, once, however often the request comes again")
    func again() {
        let admission = Admission(Self.settings)
        let hot = (0..<60).map { view("hot", UInt128(1000 + $0)) }
        let others = (0..<40).map { view("other \($0)", UInt128(1 + $0)) }
        let first = admission.decide(hot + others, now: Self.start)
        #expect(first.events == PackedEvents(others))
        #expect(first.refusal?.status == 429)
        let wait = first.refusal?.retryAfterSeconds ?? 0
        #expect(wait == 60, "more than the burst at once never goes")
        admission.remember(first.events, now: Self.start)
        let second = admission.decide(hot + others, now: Self.start + Milliseconds.second)
        #expect(second.events.isEmpty && second.refusal?.status == 429)
        let few = admission.decide(Array(hot.prefix(30)) + others, now: Self.start + 2 * Milliseconds.second)
        #expect(few.events == PackedEvents(Array(hot.prefix(30))) && few.refusal == nil)
    }

    @Test("F6 what could not be known again is not written in part: then nothing of the request goes on")
    func withoutIDs() {
        let admission = Admission(Self.settings)
        let hot = (0..<60).map { view("hot", UInt128(1000 + $0)) }
        let decision = admission.decide(hot + [view("other", 5), view("another", 0)], now: Self.start)
        #expect(decision.events.isEmpty && decision.refusal?.status == 429)
        // The hot one's own events need no ids: none of them is written.
        let own = admission.decide((0..<60).map { _ in view("hot", 0) } + [view("other", 5)], now: Self.start)
        #expect(own.events.count == 1)
    }

    @Test("I8 what was written in part is remembered for a while, and in a bounded memory")
    func remembered() {
        var accepted = AcceptedEvents(countMax: 100, ageMax: 1000)
        var now = Self.start
        for index in 0..<1000 {
            let event = view("c", UInt128(1 + index))
            accepted.insert([event], now: now)
            #expect(accepted.contains(event))
            #expect(accepted.count <= 200)
            if index >= 99 { #expect(accepted.contains(view("c", UInt128(1 + index - 99)))) }
        }
        now = now + 5000
        accepted.insert([view("c", 5000)], now: now)
        #expect(accepted.count == 1 && !accepted.contains(view("c", 1000)))
        #expect(!accepted.contains(view("d", 5000)), "another customer's event of the same id is another")
    }
}
