import Model
import Testing

@testable import Engine

@Suite("Customers as bytes")
struct PackedTests {
    /// A profile as a shard binds it: packed, with nothing asked for.
    private static func folded(_ profile: Profile) -> Profile {
        var packing = profile
        var writer = PackWriter()
        packing.pack(into: &writer)
        var folded = Profile()
        folded.packed = writer.bytes + [0xff, 0xff]
        let isSound = folded.fold(in: 0..<writer.count, wakeUp: profile.nextWakeUp)
        #expect(isSound)
        return folded
    }

    private static func bytes(_ profile: Profile) -> [UInt8] {
        var profile = profile
        var writer = PackWriter()
        profile.pack(into: &writer)
        return writer.bytes
    }

    /// The same change to two profiles; `which` picks it.
    private static func change(_ which: Int, _ profile: inout Profile) {
        switch which {
        case 0: profile.views += 1
        case 1: if !profile.orders.isEmpty { profile.orders[0].revenue += 1 }
        case 2: profile.products.append(Purchase(product: 7, last: Story.start))
        case 3: if !profile.timers.isEmpty { profile.timers.removeFirst() }
        case 4: if !profile.open.isEmpty { profile.open.removeLast() }
        case 5: profile.touches.removeAll()
        case 6: profile.traits.insert(Trait("a", "b"), at: 0)
        case 7: profile.firstOrder = profile.firstOrder.map { $0 + -1000 }
        case 8: profile.habits.membershipDue = Story.day(3).milliseconds
        case 9: profile.remember(PastAct(act: .viewed, product: 3, time: Story.day(9), order: 0), memory: 900 * Story.days)
        case 10: profile.engage(.sent, at: Story.day(1))
        case 11: if !profile.members.isEmpty { profile.members.removeLast() }
        case 13: profile.habits.followedAt = Story.day(5)
        case 12: profile.habits.membershipDue = CustomerTable.noWakeUp
        default: break
        }
    }

    @Test("a list that nobody asks for goes back as it was, whatever is done to the others", arguments: 0..<300 as Range<UInt64>)
    func unasked(seed: UInt64) {
        var dice = Dice(seed: seed)
        var plain = RandomProfile.make(&dice, most: false)
        var lazy = Self.folded(plain)
        #expect(lazy == plain, "to be looked at")
        #expect(Self.bytes(lazy) == Self.bytes(plain), "nothing was asked for")
        for _ in 0..<dice.below(4) {
            let which = dice.below(15)
            Self.change(which, &plain)
            Self.change(which, &lazy)
        }
        #expect(lazy == plain && lazy.nextWakeUp == plain.nextWakeUp && lazy.isBlank == plain.isBlank)
        #expect(Self.bytes(lazy) == Self.bytes(plain))
        lazy.clear()
        #expect(lazy == Profile() && lazy.isBlank && lazy.nextWakeUp == CustomerTable.noWakeUp)
    }

    @Test("looking for one of a list changes nothing of what is packed", arguments: 0..<50 as Range<UInt64>)
    func looking(seed: UInt64) {
        var dice = Dice(seed: seed)
        let plain = RandomProfile.make(&dice, most: false)
        var lazy = Self.folded(plain)
        for (index, timer) in plain.timers.enumerated() {
            let first = plain.timers.firstIndex { $0.due == timer.due }
            let found = lazy.timer(due: timer.due)
            #expect(found == first && first.map { $0 <= index } == true)
            let same = lazy.timer(of: timer.rule, timer.occasion)
            #expect(same == plain.timers.firstIndex { $0.rule == timer.rule && $0.occasion == timer.occasion })
        }
        for order in plain.orders {
            let found = lazy.order(order.id)
            #expect(found == plain.orders.lastIndex { $0.id == order.id })
        }
        let none = lazy.purchase(.max)
        #expect(none == nil && lazy.timerPart.isUnchanged == !plain.timers.isEmpty)
        #expect(Self.bytes(lazy) == Self.bytes(plain))
    }

    @Test("the two writers write the same", arguments: 0..<50 as Range<UInt64>)
    func writers(seed: UInt64) {
        var dice = Dice(seed: seed)
        var plain = ByteWriter()
        var packed = PackWriter(reserving: 1)
        for _ in 0..<100 {
            let number = dice.next() >> UInt64(dice.below(64))
            plain.varint(number)
            packed.varint(number)
            plain.signed(Int64(bitPattern: number))
            packed.signed(Int64(bitPattern: number))
            plain.fixed(UInt128(number) << 40)
            packed.fixed(UInt128(number) << 40)
            plain.string("e\u{301} \(number)")
            packed.string("e\u{301} \(number)")
            let block = [UInt8](repeating: 9, count: dice.pick([0, 1, 127, 128, 200, 16_383, 16_384, 20_000]))
            plain.block(block)
            packed.block { $0.append(block) }
        }
        #expect(packed.bytes == plain.bytes)
    }

    @Test("an opened action is written as every effect is")
    func opened() throws {
        let opened = ActionOpened(
            customer: .user("né"), action: ActionID(UInt128.max - 5), rule: RuleID(77), channel: .email, due: Story.day(3),
            decided: Story.day(4), deadline: Story.day(2), subject: "o 1")
        var effects = StepEffects()
        effects.add(opened)
        effects.add(
            .suppressed(
                Decision(
                    customer: .user("x"), action: ActionID(1), rule: RuleID(1), due: Story.start, decided: Story.start,
                    reason: .ruleOff)))
        let step = Step(
            inputSequence: 1, eventsThrough: 0, clock: Story.start, wakeUps: 0, configuration: 0, effects: effects.take())
        #expect(try step.decodedEffects().first == .actionOpened(opened))
    }

    @Test("what is read in one go is what is read otherwise, or is left to that")
    func quick() throws {
        var read = 0
        let texts = ["", "p1", "é", String(repeating: "long", count: 30)]
        for id in texts {
            for name in texts {
                for lines in 0..<4 {
                    let product = Product(id: id, name: name, category: "c", brand: "")
                    let order = OrderEvent(
                        orderID: id, change: .paid, revenue: lines == 1 ? nil : -5, currency: "USD",
                        lines: [OrderLine](repeating: OrderLine(product: product, quantity: 3, price: 700), count: lines),
                        coupon: name)
                    let bodies: [Event.Body] = [
                        .order(order), .product(ProductEvent(kind: .clicked, product: product, price: 3)),
                    ]
                    for body in bodies {
                        let bytes = InputMessage.events([Event(customer: .user("u"), time: Story.start, body: body)]).encoded()
                        guard case .events(var reader) = try InputContent.read(bytes), let header = try reader.next() else {
                            Issue.record("no event")
                            continue
                        }
                        if let quick = OrderEvent.quick(from: bytes, in: header.body), header.kind == .order {
                            read += 1
                            #expect(.order(quick) == body)
                        }
                        if header.kind == .product, let kind = ProductEvent.quickKind(from: bytes, in: header.body) {
                            read += 1
                            #expect(try kind == ProductEvent.kind(from: bytes, in: header.body) && kind == .clicked)
                        }
                        for end in header.body
                        where header.kind == .order && OrderEvent.quick(from: bytes, in: header.body.lowerBound..<end) != nil {
                            Issue.record("a part of it was read")
                        }
                    }
                }
            }
        }
        #expect(read > 60)
    }

    @Test("hashes ahead are those of the events that come next")
    func ahead() throws {
        let events: [Event] = (0..<40).map { (index: Int) -> Event in
            let message: UInt128 = index % 3 == 0 ? 0 : UInt128(index) << 70 | UInt128(index)
            let identifiers = index % 4 == 0 ? [Identifier(CustomerKey("email:\(index)@x"))] : []
            return Event(
                messageID: message, customer: .user("u\(index)"), time: Story.start + Int64(index), identifiers: identifiers,
                body: .named(name: "n", properties: []))
        }
        let bytes = InputMessage.events(events).encoded()
        guard case .events(var reader) = try InputContent.read(bytes) else {
            Issue.record("no events")
            return
        }
        var plain = reader
        var looked = 0
        while let header = try plain.next() {
            reader.lookAhead(7)
            looked += reader.ahead.count
            for (place, known) in reader.ahead.enumerated() {
                #expect(known.hash == events[reader.index + place].customer.hash)
            }
            for place in 0..<max(reader.ahead.count, 1) {
                if place > 0 { _ = try plain.next() }
                let again = try #require(try reader.next())
                #expect(place > 0 || again == header)
                #expect(reader.hash == plain.hash && reader.index == plain.index)
                #expect(reader.alone(in: bytes) == plain.alone(in: bytes))
                #expect(try again.event(bytes) == events[reader.index - 1])
            }
        }
        let none = try reader.next()
        #expect(none == nil && looked > 20)
    }

    private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.fixed(Hashing.hash64(bytes, in: 0..<bytes.count - 8))
        return writer.bytes
    }

    @Test("a header read in one go is what is read otherwise, or is left to that, also of damaged bytes")
    func damagedHeaders() throws {
        var dice = Dice(seed: 9)
        let events = (0..<5).map { index in
            Event(
                messageID: UInt128(index) << 90, customer: .user("u\(index)"), time: Story.start,
                body: .named(name: String(repeating: "n", count: 100 * index), properties: []))
        }
        let whole = InputMessage.events(events).encoded()
        for _ in 0..<3000 {
            var bytes = whole
            bytes[3 + dice.below(bytes.count - 11)] = UInt8(truncatingIfNeeded: dice.next())
            bytes.replaceSubrange(bytes.count - 8..<bytes.count, with: Self.checksum(bytes))
            guard case .events(let batch) = try? InputContent.read(bytes) else { continue }
            var (quick, plain) = (batch, batch)
            quick.lookAhead(5)
            var ended = false
            while !ended {
                let left = Result { try quick.next() }
                let right = Result { try plain.next() }
                switch (left, right) {
                case (.success(let left?), .success(let right?)): #expect(left == right)
                case (.success(nil), .success(nil)), (.failure, .failure): ended = true
                default:
                    Issue.record("\(left) and \(right)")
                    ended = true
                }
            }
        }
    }
}
