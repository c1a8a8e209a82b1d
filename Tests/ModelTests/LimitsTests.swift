import Model
import Testing

/// I8: the bounds fit each other. What is full must still fit into what carries it.
@Suite struct LimitsTests {
    /// Room that the log's own headers take of a message.
    private let headerBytes = 4 << 10

    private func key() -> CustomerKey { CustomerKey(String(repeating: "k", count: Limits.customerKeyBytesMax)) }
    private func identifier() -> String { String(repeating: "i", count: Limits.identifierBytesMax) }

    private func size(_ effect: Effect) -> Int {
        var writer = ByteWriter()
        effect.write(to: &writer)
        return writer.count
    }

    /// The frame of a commit and of each of its steps at their largest, for an owner's name of 64 bytes.
    private func frameBytes(steps: Int) -> Int {
        let step = Step(
            inputSequence: .max, eventsThrough: .max, clock: Instant(milliseconds: .max), wakeUps: .max,
            lateWakeUps: .max, swept: .max, configuration: .max, effects: [])
        // An effects' length of up to a million takes two bytes more than the 0 that is written here.
        return Commit(
            kind: .steps, shard: ShardID(.max), epoch: .max, number: .max, previousHash: .max, brain: .max,
            owner: String(repeating: "w", count: 64), steps: Array(repeating: step, count: steps)
        ).encoded().bytes.count + 2 * steps
    }

    private var opened: Int {
        size(
            .actionOpened(
                ActionOpened(
                    customer: key(), action: ActionID(.max), rule: RuleID(.max), channel: .email, due: Limits.timeMax,
                    decided: Limits.timeMax + Milliseconds.day, deadline: Limits.timeMax + 30 * Milliseconds.day,
                    subject: identifier())))
    }

    private var suppressed: Int {
        size(
            .suppressed(
                Decision(
                    customer: key(), action: ActionID(.max), rule: RuleID(.max), due: Limits.timeMax,
                    decided: Limits.timeMax + 30 * Milliseconds.day, reason: .notInSegment)))
    }

    @Test func `I8 I3 a full step, and steps that together are no more, fit a commit, and a message takes the commit`() {
        #expect(Limits.stepEffectBytesMax + frameBytes(steps: Limits.commitStepsMax) <= Limits.commitBytesMax)
        #expect(Limits.commitBytesMax + headerBytes <= Limits.messageBytesMax)
    }

    @Test func `I8 what one customer's wake-ups and event decide at once fits behind a step at its target`() {
        let wakeUps = Limits.timersMax * opened
        let event = Limits.rulesMax * suppressed
        #expect(wakeUps <= Limits.customerEffectBytesMax)
        #expect(event <= Limits.customerEffectBytesMax)
        #expect(Limits.commitBytesTarget + wakeUps + event + sums <= Limits.stepEffectBytesMax)
    }

    /// What a step adds to the sums at most, which stands behind its effects: of rules and segments that were removed, too.
    private var sums: Int {
        let keyed: [(Counter, Int)] = [
            (.timersArmed, 2 * Limits.rulesMax), (.members, 2 * Limits.segmentsMax), (.reachableMembers, 2 * Limits.segmentsMax),
        ]
        let deltas = keyed.flatMap { counter, count in
            Array(repeating: SumDelta(counter, rule: RuleID(.max), amount: Int64(-1) << 40), count: count)
        }
        return size(.sums(Counter.allCases.map { SumDelta($0, amount: -Limits.moneyMax * 100_000) } + deltas))
    }

    @Test func `I8 the sums of a step are read back, and so are all of its counters`() throws {
        // A reader takes as many deltas as this.
        #expect(Counter.allCases.count + 2 * Limits.rulesMax + 4 * Limits.segmentsMax <= 1 << 16)
        #expect(sums <= Limits.commitBytesTarget)
    }

    @Test func `I8 a profile on its way to another shard fits a message, its step and its input message`() {
        let message = Limits.shardMessageBytesMax
        #expect(Limits.commitBytesTarget + message + 64 * opened <= Limits.stepEffectBytesMax)
        #expect(message + headerBytes <= Limits.batchBytesMax)
        // Traits, orders, products by their ids, timers, actions, touches, identifiers; acts with products of their own.
        let id = Limits.identifierBytesMax
        let identifiers = (6 * Limits.identifiersPerKindMax + Limits.mergedKeysMax) * (Limits.customerKeyBytesMax + 3)
        let profile =
            Limits.traitsMax * (Limits.nameBytesMax + Limits.traitValueBytesMax + 4) + Limits.ordersKeptMax * (id + 64)
            + Limits.productsKeptMax * (id + 16) + Limits.timersMax * (id + 48) + Limits.openActionsMax * (id + 96)
            + 2 * Limits.touchesMax * 48 + identifiers
            + (Limits.purchasesKeptMax + Limits.browsingKeptMax) * (id + 24) + Limits.olderOrdersKeptMax * 20
            + Limits.segmentsMax * 3
        #expect(profile + 2 * Limits.customerKeyBytesMax + 64 <= message)
        #expect(Limits.outboxBytesMax > message && Limits.outboxMessagesMax > Limits.eventIdentifiersMax)
    }

    @Test func `I8 I7 the largest event that is kept fits into a commit behind a step at its target, and into a record of DEAD`()
    {
        let event = SetAside(
            number: .max, inputSequence: .max, index: .max, arrived: Limits.timeMax, reason: String(repeating: "r", count: 500),
            replayOf: .max, message: [UInt8](repeating: 0, count: Limits.setAsideBytesMax))
        let largest = 2 * Limits.commitBytesTarget + size(.setAside(event)) + frameBytes(steps: Limits.commitStepsMax)
        #expect(largest <= Limits.commitBytesMax)
        #expect(Limits.deadRecordBytesTarget + size(.setAside(event)) + headerBytes <= Limits.messageBytesMax)
        #expect(Limits.setAsideBytesMax >= Limits.batchBytesMax, "whatever a gateway writes can be replayed")
    }

    @Test func `I8 a permit with a full profile fits a step`() {
        let fields = (0..<Limits.traitsMax).map { _ in
            Trait(
                String(repeating: "n", count: Limits.nameBytesMax), String(repeating: "v", count: Limits.traitValueBytesMax))
        }
        let grant = PermitGrant(
            customer: key(), action: ActionID(.max), attempt: AttemptID(instance: .max, number: .max), rule: RuleID(.max),
            channel: .email, address: String(repeating: "a", count: Limits.traitValueBytesMax),
            template: String(repeating: "t", count: Limits.nameBytesMax), fields: fields, deadline: Limits.timeMax)
        #expect(size(.permitGranted(grant)) <= Limits.stepEffectBytesMax)
    }

    @Test func `I8 a batch at its target takes one event more, and a message takes the batch`() {
        // An event's binary form is at most its JSON and, for each order line, what stands for the fields left out.
        let line = OrderLine(product: Product(id: ""), quantity: Limits.quantityMax, price: Limits.moneyMax)
        func bytes(lines: Int) -> Int {
            let order = OrderEvent(orderID: "", change: .placed, revenue: 0, lines: Array(repeating: line, count: lines))
            let event = Event(customer: key(), time: Limits.timeMax, body: .order(order))
            return InputMessage.events([event]).encoded().count
        }
        let event = Limits.eventJSONBytesMax + bytes(lines: Limits.orderLinesMax)
        #expect(Limits.batchBytesTarget + event <= Limits.batchBytesMax)
        #expect(Limits.batchBytesMax + headerBytes <= Limits.messageBytesMax)
        #expect(Limits.batchEventsMax <= Limits.messageWindowCount, "a repeat within one batch is recognised")
    }

    @Test func `I8 a configuration and a piece of a snapshot fit a message`() {
        #expect(Limits.configurationBytesMax + headerBytes <= Limits.messageBytesMax)
        #expect(Limits.snapshotChunkBytes + Limits.profileBytesMax + headerBytes <= Limits.messageBytesMax)
        #expect(Limits.templateBytesMax <= Limits.configurationBytesMax)
        // Zones change twice a year at most, from 1990 to 2060.
        let transition = ZoneTable.Transition(at: Limits.timeMax, offsetSeconds: -43_200)
        let zone = ZoneTable(
            name: String(repeating: "z", count: 64), initialOffsetSeconds: -43_200,
            transitions: Array(repeating: transition, count: 2 * 70))
        let zones = RuleSet(otherZones: Array(repeating: zone, count: Limits.zonesMax)).encoded().count
        #expect(zones <= Limits.configurationBytesMax / 4)
        #expect(Limits.rulesMax <= Int(UInt16.max) && Limits.segmentsMax <= Int(UInt16.max))
    }

    @Test func `I8 what comes in over HTTP fits within itself`() {
        #expect(Limits.eventJSONBytesMax <= Limits.bodyBytesMax)
        #expect(Limits.unknownEventBytesMax <= Limits.eventJSONBytesMax)
        #expect(Limits.identifierBytesMax + "email:".utf8.count <= Limits.customerKeyBytesMax)
        #expect(Limits.bodyEventsMax <= Limits.batchEventsMax)
        #expect(Limits.bodyEventsMax <= Limits.customerEventsBurst, "a batch of one customer's events passes once in a while")
        #expect(3 * Limits.bodyBytesMax <= Limits.requestBytesInFlightMax)
        #expect(Limits.batchBytesMax <= Limits.inputsWaitingBytesMax)
    }

    @Test func `I8 shards are numbered by 16 bits and default to a number that is allowed`() {
        #expect(ShardMap(shards: Limits.shardsDefault) != nil)
        #expect(ShardMap(shards: Limits.shardsMax) != nil)
        #expect(Limits.shardsMax - 1 <= Int(UInt16.max))
    }

    @Test func `I8 sums of money over a customer's orders cannot overflow`() {
        let (_, lineOverflow) = Limits.moneyMax.multipliedReportingOverflow(by: Limits.quantityMax)
        let (_, sumOverflow) = Limits.moneyMax.multipliedReportingOverflow(by: Int64(Limits.ordersKeptMax) * 100_000)
        #expect(!lineOverflow)
        #expect(!sumOverflow)
    }

    @Test func `I8 what conditions may ask for can be computed without overflow`() {
        let span = Limits.timeMax - Limits.timeMin
        let orders = Int64(Limits.ordersKeptMax + Limits.olderOrdersKeptMax)
        let acts = Int64(Limits.purchasesKeptMax + Limits.browsingKeptMax) * Interest.weight(of: .bought)
        let products: [[Int64]] = [
            [100, span, Int64(Limits.ordersKeptMax)], [Limits.percentMax, span, 8], [orders, Limits.moneyMax],
            [Limits.interestMax, 1 << 32], [acts, 1 << 32], [Limits.traitNumberMax, 10],
            [Limits.durationMillisecondsMax, Limits.piecesCountedMax],
        ]
        for factors in products {
            var product: Int64 = 1
            for factor in factors {
                let (value, isOverflow) = product.multipliedReportingOverflow(by: factor)
                #expect(!isOverflow, "\(factors)")
                product = value
            }
        }
        #expect(2 * Limits.anniversaryDaysMax < 365)
        #expect(Limits.lastingMillisecondsMax <= Limits.durationMillisecondsMax)
        #expect(Memory.usual.purchasesMilliseconds <= Limits.durationMillisecondsMax)
    }

    @Test func `I8 several heartbeats fit into the time after which a worker is taken for dead`() {
        #expect(3 * Limits.heartbeatMilliseconds <= Limits.heartbeatTimeoutMilliseconds)
        #expect(4 * Limits.heartbeatMilliseconds <= Limits.workerTimeoutMillisecondsMin)
        let timeouts = [Limits.workerTimeoutWithStandbysMilliseconds, Limits.workerTimeoutMilliseconds]
        for timeout in timeouts {
            #expect((Limits.workerTimeoutMillisecondsMin...Limits.workerTimeoutMillisecondsMax).contains(timeout))
        }
        #expect(Limits.placementTickMilliseconds < Limits.heartbeatMilliseconds)
        #expect(Limits.workerTimeoutMilliseconds < Limits.allSilentMilliseconds)
        #expect(Limits.handOverSilenceMilliseconds < Limits.handOverMilliseconds)
        #expect(Limits.handOverMilliseconds < Limits.moveMilliseconds)
        #expect(Limits.clockDriftMillisecondsMax < Limits.heartbeatTimeoutMilliseconds)
    }

    @Test func `I8 what catches up is a small part of what a shard may do, and takes its turn several times a second`() {
        #expect(Limits.latePortion <= Limits.stepWakeUpsMax / 8)
        #expect(Limits.latePortionMilliseconds <= Milliseconds.second / 2)
        #expect(Limits.lateMilliseconds > 10 * Limits.heartbeatTimeoutMilliseconds, "a takeover makes nothing late")
    }

    @Test func `I8 a page of open actions with a full customer at its end fits a message`() {
        let escaped = CustomerKey(String(repeating: "\u{1}", count: Limits.customerKeyBytesMax))
        let customer = Limits.openActionsMax * OpenActions.Action.bytesMax(customer: escaped)
        #expect(Limits.openPageBytesTarget + customer + headerBytes <= Limits.messageBytesMax)
    }

    @Test func `I8 a page of a segment's members with a full one at its end fits a message`() {
        let value = String(repeating: "\u{1}", count: Limits.traitValueBytesMax)
        let member = SegmentMembers.Member(
            customer: String(repeating: "\u{1}", count: Limits.customerKeyBytesMax), email: value, phone: value, firstName: value,
            isReachable: false)
        #expect(Limits.openPageBytesTarget + member.bytesMax + headerBytes <= Limits.messageBytesMax)
    }

    @Test func `I8 what is refused lies below what is full`() {
        #expect((1..<100).contains(Limits.inputFillPercentMax))
        #expect(Limits.snapshotsKept >= 2, "a damaged one must have another behind it")
        // A log takes, beside what is on its way, the tails of a snapshot with all its increments, of the one before, and of
        // the next.
        #expect(Limits.snapshotIncrementsMax + 3 <= Limits.snapshotLogFraction * Limits.inputFillPercentMax / 100)
        #expect(Limits.attemptsMax >= 1 && Limits.permitsInFlightMax >= 1 && Limits.commitsWaitingMax >= 1)
    }
}
