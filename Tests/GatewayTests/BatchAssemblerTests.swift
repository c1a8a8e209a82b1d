import Gateway
import Model
import Ports
import Testing

/// A log that takes what it is given unless told otherwise, and remembers ids as the real one does.
private struct ScriptedLog {
    var written: [(id: UInt64, bytes: [UInt8])] = []

    enum Fate: CaseIterable { case taken, takenUnanswered, lost, unavailable }

    mutating func append(_ id: UInt64, _ bytes: [UInt8], fate: Fate) -> Result<UInt64, LogError> {
        if fate == .taken || fate == .takenUnanswered, !written.contains(where: { $0.id == id }) { written.append((id, bytes)) }
        switch fate {
        case .taken: return .success(UInt64(written.count))
        case .takenUnanswered, .lost: return .failure(LogError(.ambiguous, "no answer"))
        case .unavailable: return .failure(LogError(.unavailable, "no leader"))
        }
    }

    func events() throws -> [Event] {
        try written.flatMap { record in
            guard case .events(let events) = try InputMessage.decoded(record.bytes) else { return [Event]() }
            return events
        }
    }
}

private func event(_ number: Int, of user: String = "u") -> Event {
    Event(customer: .user(user), time: noon, body: .named(name: "n\(number)", properties: [UInt8](repeating: 32, count: 40)))
}

private func name(_ event: Event) -> String {
    if case .named(let name, _) = event.body { name } else { "?" }
}

@Suite struct BatchAssemblerTests {
    @Test func `events wait for the linger and leave together`() {
        var assembler = BatchAssembler(settings: .init(lingerMilliseconds: 3))
        #expect(assembler.add([event(1)], ticket: 1, now: noon) == [.linger(until: noon + 3)])
        #expect(assembler.add([event(2)], ticket: 2, now: noon + 1) == [])
        #expect(assembler.wake(now: noon + 2) == [])
        let actions = assembler.wake(now: noon + 3)
        #expect(actions == [.append(batch: 1, bytes: InputMessage.events([event(1), event(2)]).encoded(), events: 2)])
        #expect(assembler.finished(1, .success(1), now: noon + 4) == [.settle(1, nil), .settle(2, nil)])
        #expect(assembler.isIdle)
    }

    @Test func `I8 a full batch leaves at once, and the next behind it`() {
        var assembler = BatchAssembler(settings: .init(eventsMax: 2))
        let actions = assembler.add((1...5).map { event($0) }, ticket: 9, now: noon)
        #expect(actions == [.append(batch: 1, bytes: InputMessage.events([event(1), event(2)]).encoded(), events: 2)])
        let second = assembler.finished(1, .success(1), now: noon)
        #expect(second == [.append(batch: 2, bytes: InputMessage.events([event(3), event(4)]).encoded(), events: 2)])
        #expect(assembler.finished(2, .success(2), now: noon + 1) == [.linger(until: noon + 3)])
        #expect(assembler.wake(now: noon + 3).count == 1)
        #expect(assembler.finished(3, .success(3), now: noon + 4) == [.settle(9, nil)])
    }

    @Test func `I1 nothing is settled before its acknowledgement`() {
        var assembler = BatchAssembler(settings: .init(lingerMilliseconds: 0))
        #expect(assembler.add([event(1)], ticket: 1, now: noon).count == 1)
        #expect(assembler.add([event(2)], ticket: 2, now: noon) == [])
        #expect(assembler.wake(now: noon + 500) == [])
        let actions = assembler.finished(1, .success(1), now: noon + 501)
        #expect(actions.first == .settle(1, nil))
        #expect(actions.count == 2)
        #expect(!assembler.isIdle)
    }

    @Test func `a batch whose fate is unclear is offered again under its own id, and nothing overtakes`() {
        var assembler = BatchAssembler(settings: .init(lingerMilliseconds: 0))
        let sent = assembler.add([event(1)], ticket: 1, now: noon)
        #expect(assembler.add([event(2)], ticket: 2, now: noon) == [])
        let unclear = Result<UInt64, LogError>.failure(LogError(.ambiguous, ""))
        #expect(assembler.finished(1, unclear, now: noon) == [.retry(at: noon + 50)])
        #expect(assembler.wake(now: noon + 49) == [])
        #expect(assembler.wake(now: noon + 50) == sent)
        // The first append's late answer must not count for another try: the retry's own answer is waited for.
        #expect(assembler.finished(1, unclear, now: noon + 60) == [.retry(at: noon + 160)])
        #expect(assembler.finished(1, .success(4), now: noon + 70) == [])
        #expect(assembler.wake(now: noon + 160) == sent)
        #expect(assembler.finished(1, .success(4), now: noon + 170).first == .settle(1, nil))
    }

    @Test func `what is given up takes all behind it along`() {
        var assembler = BatchAssembler(settings: .init(lingerMilliseconds: 0, eventsMax: 1))
        _ = assembler.add([event(1), event(2)], ticket: 1, now: noon)
        _ = assembler.add([event(3)], ticket: 2, now: noon)
        var now = noon
        var settled: [BatchAssembler.Action] = []
        for _ in 0..<100 where settled.isEmpty {
            let actions = assembler.finished(1, .failure(LogError(.unavailable, "down")), now: now)
            guard case .retry(let at) = actions.first else {
                settled = actions
                continue
            }
            now = at
            #expect(assembler.wake(now: now).count == 1)
        }
        #expect(settled == [.settle(1, LogError(.unavailable, "down")), .settle(2, LogError(.unavailable, "down"))])
        #expect(now - noon <= 10_000)
        #expect(now - noon >= 8000)
        #expect(assembler.isIdle)
        // An answer that comes after all is of no interest, and the next request goes its way.
        #expect(assembler.finished(1, .success(1), now: now) == [])
        #expect(assembler.add([event(4)], ticket: 3, now: now).count == 1)
    }

    @Test func `a full log is not asked again`() {
        var assembler = BatchAssembler(settings: .init(lingerMilliseconds: 0))
        _ = assembler.add([event(1)], ticket: 1, now: noon)
        #expect(assembler.finished(1, .failure(LogError(.full, "")), now: noon) == [.settle(1, LogError(.full, ""))])
    }

    @Test("I1 I6 under any faults: what is settled is written once, in order, without holes", arguments: 0..<200)
    func faults(seed: Int) throws {
        var random = Seeded(UInt64(seed))
        var assembler = BatchAssembler(
            settings: .init(lingerMilliseconds: Int64(random.below(4)), bytesTarget: 300, eventsMax: 1 + random.below(6)))
        var log = ScriptedLog()
        var now = noon
        var alarms: [Instant] = []
        var flying: [(UInt64, Result<UInt64, LogError>)] = []
        var offered: [UInt64: [Int]] = [:]
        var settled: [UInt64: LogError?] = [:]
        var nextEvent = 0
        let badShare = random.below(60)
        func perform(_ actions: [BatchAssembler.Action]) {
            for action in actions {
                switch action {
                case .append(let batch, let bytes, _):
                    let isBad = random.below(100) < badShare
                    let fate = isBad ? ScriptedLog.Fate.allCases[random.below(4)] : .taken
                    flying.append((batch, log.append(batch, bytes, fate: fate)))
                    #expect(flying.count == 1)
                case .settle(let ticket, let failure):
                    #expect(settled[ticket] == nil)
                    settled[ticket] = .some(failure)
                case .linger(let until): alarms.append(until)
                case .retry(let at): alarms.append(at)
                }
            }
        }
        for ticket in UInt64(1)...60 {
            let numbers = (0...random.below(12)).map { nextEvent + $0 }
            nextEvent += numbers.count
            offered[ticket] = numbers
            perform(assembler.add(numbers.map { event($0) }, ticket: ticket, now: now))
            for _ in 0..<random.below(4) {
                if !flying.isEmpty, random.below(2) == 0 {
                    let (batch, result) = flying.removeFirst()
                    perform(assembler.finished(batch, result, now: now))
                }
                now = now + Int64(random.below(30))
                let due = alarms.filter { $0 <= now }
                alarms.removeAll { $0 <= now }
                for _ in due { perform(assembler.wake(now: now)) }
            }
        }
        var rounds = 0
        while !assembler.isIdle {
            rounds += 1
            try #require(rounds < 10_000, "never idle")
            if let (batch, result) = flying.first {
                flying.removeFirst()
                perform(assembler.finished(batch, result, now: now))
            } else {
                now = alarms.min() ?? now
                let due = alarms.filter { $0 <= now }
                alarms.removeAll { $0 <= now }
                for _ in due { perform(assembler.wake(now: now)) }
            }
        }
        let written = try log.events().map(name)
        #expect(Set(written).count == written.count)
        #expect(settled.count == 60)
        let positions = Dictionary(uniqueKeysWithValues: written.enumerated().map { ($1, $0) })
        for (ticket, numbers) in offered {
            let found = numbers.map { positions["n\($0)"] }
            if settled[ticket] == .some(nil) { #expect(found.allSatisfy { $0 != nil }) }
            // A request's events that are there are its first ones, in order.
            let there = found.prefix { $0 != nil }.compactMap { $0 }
            #expect(there.count == found.compactMap { $0 }.count)
            #expect(there == there.sorted())
        }
    }
}

/// SplitMix64.
struct Seeded {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1 }

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((z ^ (z >> 31)) % UInt64(bound))
    }
}
