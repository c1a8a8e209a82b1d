import Model
import Testing

/// One of each as it stands in logs that were written once: these bytes must be readable for ever, and mean the same.
///
/// A change of form gets a version of its own and an example of its own here; no example is ever altered.
@Suite struct GoldenBytesTests {
    private static func bytes(_ hex: String) throws -> [UInt8] {
        let digits = Array(hex.utf8)
        return try stride(from: 0, to: digits.count, by: 2).map {
            try #require(UInt8(String(decoding: digits[$0..<min($0 + 2, digits.count)], as: UTF8.self), radix: 16))
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static let day = Instant(milliseconds: 1_704_067_200_000)
    private static let action = ActionID(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff)
    private static let attempt = AttemptID(instance: 0x0102_0304_0506_0708, number: 3)
    private static let customer = CustomerKey.user("42")
    private static let rule = RuleID(0xCAFE)

    @Test func `a clock record`() throws {
        #expect(Self.hex(InputMessage.clock(Self.day).encoded()) == Golden.clock)
        #expect(try InputMessage.decoded(Self.bytes(Golden.clock)) == .clock(Self.day))
    }

    private static let events: [(Event.Body, String)] = [
        (
            .order(
                OrderEvent(
                    orderID: "o1", change: .placed, revenue: 1999, currency: "EUR",
                    lines: [
                        OrderLine(
                            product: Product(id: "p1", name: "Tea", category: "drinks", brand: "B"), quantity: 2, price: 995)
                    ], coupon: "NEW")), Golden.order
        ),
        (.product(ProductEvent(kind: .addedToCart, product: Product(id: "p1"), quantity: 3, price: 5)), Golden.product),
        (
            .identify(Identify(traits: [Trait("email", "ann@example.org")], consents: [Consent(.email, granted: true)])),
            Golden.identify
        ),
        (.engagement(Engagement(kind: .clicked, channel: .email, action: action)), Golden.engagement),
        (.named(name: "Quiz", properties: Array(#"{"a":1}"#.utf8)), Golden.named),
        (.alias(previous: .anonymous("x")), Golden.alias),
        (.permitRequest(action: action, attempt: attempt), Golden.permitRequest),
        (.outcome(action: action, attempt: attempt, outcome: .undeliverable, detail: "550 no"), Golden.outcome),
    ]

    @Test(arguments: 0..<RandomValues.bodyKinds) func `an event of each kind`(kind: Int) throws {
        let (body, golden) = Self.events[kind]
        let event = Event(messageID: 0xABCD, customer: Self.customer, time: Self.day + 1, body: body)
        var writer = ByteWriter()
        event.write(to: &writer, base: Self.day)
        #expect(Self.hex(writer.bytes) == golden)
        let bytes = try Self.bytes(golden)
        var reader = ByteReader(bytes)
        #expect(try Event.read(&reader, base: Self.day, bytes: bytes) == event)
        try reader.finish()
    }

    @Test func `a batch`() throws {
        let golden = Golden.batch
        let message = InputMessage.events([
            Event(messageID: 7, customer: Self.customer, time: Self.day, body: .alias(previous: .anonymous("x"))),
            Event(customer: Self.customer, time: Self.day + -5, body: .engagement(Engagement(kind: .opened))),
        ])
        #expect(Self.hex(message.encoded()) == golden)
        #expect(try InputMessage.decoded(Self.bytes(golden)) == message)
    }

    @Test func `messages between shards`() throws {
        let golden = Golden.messages
        let seen = Event(
            customer: Self.customer, time: Self.day, identifiers: [Identifier(CustomerKey("card:7"), isVerified: true)],
            body: .engagement(Engagement(kind: .opened)))
        let bodies = [
            ShardMessage.claim(Identifier(CustomerKey("card:7")), customer: Self.customer, former: .anonymous("x")),
            .event(seen, arrived: Self.day + 5), .merge(.anonymous("x"), into: Self.customer),
            .absorb(.anonymous("x"), into: Self.customer, profile: [1, 2, 3]),
        ].map { $0.encoded() }
        let message = InputMessage.messages(source: ShardID(3), first: 300, bodies: bodies)
        #expect(Self.hex(message.encoded()) == golden)
        #expect(try InputMessage.decoded(Self.bytes(golden)) == message)
    }

    private static let decision = Decision(
        customer: customer, action: action, rule: rule, due: day, decided: day + 60_000, reason: .notInSegment)

    private static let effects: [(Effect, String)] = [
        (
            .actionOpened(
                ActionOpened(
                    customer: customer, action: action, rule: rule, channel: .email, due: day, decided: day + 1000,
                    deadline: day + Milliseconds.day, subject: "p1")), Golden.actionOpened
        ),
        (.suppressed(decision), Golden.suppressed),
        (.postponed(decision, until: day + Milliseconds.hour), Golden.postponed),
        (
            .permitGranted(
                PermitGrant(
                    customer: customer, action: action, attempt: attempt, rule: rule, channel: .email,
                    address: "ann@example.org", template: "t", fields: [Trait("product.id", "p1")], deadline: day)),
            Golden.permitGranted
        ),
        (.permitDenied(customer: customer, action: action, attempt: attempt, reason: .noConsent), Golden.permitDenied),
        (
            .actionClosed(
                ActionClosed(
                    customer: customer, action: action, rule: rule, outcome: .withdrawn, reason: .noLongerWanted, time: day,
                    detail: "x")), Golden.actionClosed
        ),
        (
            .attributed(
                Attribution(
                    customer: customer, action: action, rule: rule, orderID: "o1", kind: .converted, revenue: 1999, sales: 1,
                    conversions: 1, time: day)), Golden.attributed
        ),
        (
            .setAside(
                SetAside(
                    number: 7, inputSequence: 300, index: 2, arrived: day, reason: "currency", replayOf: 3, message: [1, 2])),
            Golden.setAside
        ), (.replayed(number: 7), Golden.replayed),
        (.sums([SumDelta(.orders, amount: 2), SumDelta(.timersArmed, rule: rule, amount: -1)]), Golden.sums),
        (
            .actionMoved(
                ActionOpened(
                    customer: customer, action: action, rule: rule, channel: .email, due: day, decided: day + 1000,
                    deadline: day + Milliseconds.day, subject: "p1")), Golden.actionMoved
        ),
        (
            .messageSent(
                to: ShardID(3), counter: 300,
                body: ShardMessage.merge(.anonymous("x"), into: customer).encoded()), Golden.messageSent
        ),
        (.messagesDelivered(to: ShardID(3), through: 300), Golden.messagesDelivered),
        (.messageApplied(from: ShardID(3), counter: 300), Golden.messageApplied),
        (.merged(.anonymous("x"), into: customer, time: day), Golden.merged),
        (.duplicateOffered(customer, .user("43"), identifier: CustomerKey("card:7")), Golden.duplicateOffered),
    ]

    @Test(arguments: 0..<RandomValues.effectKinds) func `an effect of each kind`(kind: Int) throws {
        let (effect, golden) = Self.effects[kind]
        var writer = ByteWriter()
        effect.write(to: &writer)
        #expect(Self.hex(writer.bytes) == golden)
        var reader = ByteReader(try Self.bytes(golden))
        #expect(try Effect.read(&reader) == effect)
        try reader.finish()
    }

    @Test func `a commit, and its hash`() throws {
        let golden = Golden.commit
        var effects = ByteWriter()
        Effect.sums([SumDelta(.events, amount: 3)]).write(to: &effects)
        let commit = Commit(
            kind: .steps, shard: ShardID(5), epoch: 2, number: 300, previousHash: 0x1234, brain: 1, owner: "w1",
            steps: [
                Step(
                    inputSequence: 400, eventsThrough: 3, clock: Self.day, wakeUps: 1, swept: 5, configuration: 2,
                    effects: effects.bytes)
            ])
        let encoded = commit.encoded()
        #expect(Self.hex(encoded.bytes) == golden)
        let decoded = try Commit.decoded(Self.bytes(golden))
        #expect(decoded.commit == commit)
        #expect(decoded.hash == encoded.hash)
    }

    private static let goods = Goods(products: ["p1"], categories: ["drinks"], brands: ["B"])

    private static let conditions: [Condition] = [
        .orderCount(.atLeast, 3), .not(.orderSum(.less, 5000)), .orders(.average, within: 30, .equal, 7),
        .any([.sinceLastOrder(.atMost, milliseconds: 1), .sinceFirstOrder(.greater, milliseconds: 2)]),
        .acts(.bought, goods, within: 90, .atLeast, 2), .sinceAct(.addedToCart, Goods(), .less, milliseconds: 5),
        .rhythm(.atLeast, percent: 150), .pace(.greater, percent: 200), .trait("tag:vip", .exists),
        .trait("city", .isOneOf(["Oslo", "Rome"])), .trait("age", .number(.atLeast, 180_000)), .trait("note", .contains("x")),
        .anniversary(trait: "birthday", daysBefore: 7, daysAfter: 1), .sinceEngagement(.clicked, .atMost, milliseconds: 9),
        .consent(.sms, .withheld), .reachable(.email), .interest(goods, .atLeast, 500),
    ]

    private static let mechanics: [Mechanic] = [
        .timeSinceLastPurchase(afterMilliseconds: 60, rhythmPercent: 200), .reviewRequest(afterMilliseconds: 3),
        .upsell(afterMilliseconds: 4, offers: goods), .personalDate(trait: "birthday", daysBefore: -1, minute: 600),
        .viewedProducts(times: 3, within: 7, afterMilliseconds: 1), .abandonedCart(afterMilliseconds: 8),
        .segmentEntered(0, afterMilliseconds: 9),
    ]

    private static var ruleSet: RuleSet {
        var rules = RuleSet(
            revision: 9, currency: "EUR", currencyDigits: 2, fulfilledOnPlaced: true, consentAssumed: false,
            zone: ZoneTable(
                name: "Europe/Oslo", initialOffsetSeconds: 3600,
                transitions: [ZoneTable.Transition(at: Self.day, offsetSeconds: 7200)]),
            otherZones: [ZoneTable(name: "Asia/Tokyo", initialOffsetSeconds: 32_400)],
            memory: Memory(purchasesMilliseconds: 1000, browsingMilliseconds: 0),
            contactLimits: [
                ContactLimit(channel: nil, rate: RateLimit(count: 2, windowMilliseconds: 700)),
                ContactLimit(channel: .sms, rate: RateLimit(count: 1, windowMilliseconds: 3000)),
            ],
            segments: [Segment(name: "loyal", title: "Loyal", condition: .all(conditions))],
            rules: [
                Rule(
                    name: "reorder", title: "Reorder",
                    mechanic: .regularConsumption(
                        ConsumptionPeriods(
                            defaultMilliseconds: 5, perProduct: [ProductPeriod(product: "p1", milliseconds: 6)],
                            isPerPiece: true),
                        aheadMilliseconds: 1), enabled: false, goods: goods,
                    inAll: [0], inAny: [], inNone: [0], hours: AllowedHours(fromMinute: 540, toMinute: 1260, weekdays: 0x1f),
                    postponeMilliseconds: 1000, action: .email(template: "t"), conversion: Conversion(windowMilliseconds: 77),
                    repeatLimit: RateLimit(count: 1, windowMilliseconds: 30), isTransactional: true)
            ]
                + mechanics.map { Rule(name: $0.name, mechanic: $0, action: .record) },
            templates: [MessageTemplate(name: "t", subject: "S", text: "T", html: "<p>", from: "a@example.org")])
        rules.segments[0].number = 258
        rules.nextSegmentNumber = 300
        return rules
    }

    @Test func `a rule set with conditions and mechanics of each kind`() throws {
        let golden = Golden.ruleSet
        #expect(Self.hex(Self.ruleSet.encoded()) == golden)
        #expect(try RuleSet.decoded(Self.bytes(golden), revision: 9) == Self.ruleSet)
    }

    @Test func `forms that are not read any more are told by their version`() throws {
        let rules = try Self.bytes(Golden.ruleSetOfVersion1)
        let ofRules = #expect(throws: FormatError.self) { try RuleSet.decoded(rules, revision: 9) }
        #expect(ofRules?.description.contains("a rule set of version 1, this program knows version 2") == true)
        let commit = try Self.bytes(Golden.commitOfVersion3)
        let ofCommit = #expect(throws: FormatError.self) { try Commit.decoded(commit) }
        #expect(ofCommit?.description.contains("a commit of version 3, this program knows version 4") == true)
    }

    @Test func `the numbers of stored choices`() {
        #expect(Reason.allCases.map(\.rawValue) == Array(0...22))
        #expect(Reason.refusedByProvider.rawValue == 18 && Reason.noLongerWanted.rawValue == 10)
        #expect(Counter.timersArmed.rawValue == 6 && Counter.events.rawValue == 3)
        #expect(Counter.members.rawValue == 7 && Counter.reachableMembers.rawValue == 8)
        #expect(OrderFigure.average.rawValue == 2 && Act.addedToCart.rawValue == 2 && EngagementSign.clicked.rawValue == 2)
        #expect(ConsentState.unknown.rawValue == 2)
        #expect(Outcome.notTried.rawValue == 6 && Outcome.withdrawn.rawValue == 5 && Outcome.uncertain.rawValue == 3)
        #expect(OrderEvent.Change.refunded.rawValue == 6 && OrderEvent.Change.fulfilled.rawValue == 4)
        #expect(ProductEvent.Kind.shared.rawValue == 7 && Engagement.Kind.unsubscribed.rawValue == 5)
        #expect(Channel.sms.rawValue == 2 && Comparison.greater.rawValue == 4 && Commit.Kind.released.rawValue == 2)
        #expect(Reason.contactLimit.rawValue == 20 && Reason.tooLateForOrder.rawValue == 22)
        #expect(Reason.trapped.rawValue == 19 && Commit.Kind.attempt.rawValue == 5)
    }
}
