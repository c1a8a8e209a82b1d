package import Model

/// Runs steps that another brain decided, and takes what they record as the truth.
///
/// Two things make a shard's state. Facts follow from the inputs, by this brain's fold: orders, traits, consents, what was
/// bought, which timers run. Decisions follow from the recorded effects and from nothing else: which actions are open, who
/// has their permits, what reached the customer, which order is credited to it, what was decided and is not decided again.
/// What this brain would have decided and the log does not say is not lost either: its timer is put back at the end, and
/// comes up again under this brain, on the record.
///
/// Used on the executor of the shard, one call at a time, from the snapshot to the log's end; nothing else may run a step
/// meanwhile.
package final class TrustedReplay {
    /// An effect that stands on one side only.
    package struct Difference: Equatable, Sendable {
        package var customer: CustomerKey?
        /// Recorded and not what this brain does; nil = this brain does it and it is not recorded.
        package var recorded: Effect?
        package var own: Effect?
    }

    private let shard: Shard
    /// Customers before the step.
    private var known: UInt32 = 0
    /// Packed bytes of customers as they were before the step, by slot.
    var before: [UInt32: [UInt8]] = [:]
    /// Decisions of this brain that are not recorded: they come up again.
    private var held: [ActionID: (customer: CustomerKey, timer: Timer)] = [:]
    /// What the sums lack to say what the state is.
    private var lacking: [SumDelta] = []
    /// Differences so far.
    package private(set) var differences = 0
    /// What ended workers that ran it again, and how many: it is left out.
    private let leavingOut: [Place: UInt32]
    /// What is set aside next is such a one.
    private var leavesOut = false
    /// Set aside here and not in the record: said at the end.
    private var leftOut: [SetAside] = []

    /// - Parameter leavingOut: events and wake-ups that ended workers of this build, and how many; they are set aside.
    package init(_ shard: Shard, leavingOut: [Place: UInt32] = [:]) {
        self.shard = shard
        self.leavingOut = leavingOut
    }

    func workersEnded(at place: Place) -> UInt32? {
        let workers = leavingOut[place]
        leavesOut = workers != nil
        return workers
    }

    func note(_ event: SetAside) {
        if leavesOut { leftOut.append(event) }
        leavesOut = false
    }

    /// Runs one step of this commit. Returns in what it differs from the recorded one; sums are not compared but brought up at
    /// the end.
    package func replay(_ step: Step, _ inputs: inout InputQueue, commit: UInt64 = 1) throws -> [Difference] {
        before = [:]
        let (outbox, numbers) = (shard.brain.outbox, shard.setAsideNumbers)
        known = UInt32(shard.table.count)
        shard.trusted = self
        shard.brain.decided = [:]
        defer {
            shard.trusted = nil
            shard.brain.decided = nil
        }
        let own = try shard.replay(step, &inputs, commit: commit)
        guard (own.inputSequence, own.eventsThrough) == (step.inputSequence, step.eventsThrough) else {
            throw ReplayFault.otherEnd(own.inputSequence, own.eventsThrough)
        }
        if own.effects == step.effects { return [] }
        let recorded = EffectsByCustomer(try step.decodedEffects())
        takeMessages(recorded.others, before: outbox)
        takeSetAside(recorded.others, before: numbers)
        return try settle(EffectsByCustomer(own.decodedEffects()), recorded)
    }

    /// What other shards have received, or will, is what is recorded, under the counters that are recorded.
    private func takeMessages(_ effects: [Effect], before: Outbox) {
        shard.brain.outbox = before
        for effect in effects {
            switch effect {
            case .messagesDelivered(let destination, let through):
                _ = shard.brain.outbox.delivered(to: destination, through: through)
            case .messageSent(let destination, _, let body): _ = shard.brain.outbox.add(body, to: destination)
            default: break
            }
        }
    }

    /// What was set aside, under which numbers, and which of that was taken again, is what is recorded: people act on it.
    private func takeSetAside(_ effects: [Effect], before: SetAsideNumbers) {
        shard.setAsideNumbers = before
        for effect in effects {
            switch effect {
            case .setAside: _ = shard.setAsideNumbers.next()
            case .replayed(let number): _ = shard.setAsideNumbers.replay(number)
            default: break
            }
        }
    }

    private func settle(_ own: EffectsByCustomer, _ recorded: EffectsByCustomer) throws -> [Difference] {
        lacking += own.sums + recorded.sums.map { SumDelta($0.counter, rule: $0.rule, amount: -$0.amount) }
        var found = Self.differences(nil, own: own.others, recorded: recorded.others)
        let customers = Set(own.byCustomer.keys).union(recorded.byCustomer.keys).sorted { $0.text < $1.text }
        for key in customers {
            let (mine, theirs) = (own.byCustomer[key] ?? [], recorded.byCustomer[key] ?? [])
            if mine == theirs { continue }
            found += Self.differences(key, own: mine, recorded: theirs)
            settle(key, own: mine, recorded: theirs)
        }
        takeSums()
        differences += found.count
        return found
    }

    private func settle(_ key: CustomerKey, own: [Effect], recorded: [Effect]) {
        edit(key) { [self] slot, profile in
            // Nobody touched who is not among them: what is now was before the step, unless the step brought the customer.
            var past = Profile()
            if let slot, slot < known { past = before[slot].map(Self.profile) ?? profile }
            var settlement = DecisionSettlement(
                customer: key, past: past, profile: profile, rules: shard.brain.rules, products: shard.brain.products,
                decided: shard.brain.decided ?? [:], clock: shard.clock)
            settlement.settle(own: own, recorded: recorded)
            for action in settlement.recorded { held[action] = nil }
            for (action, timer) in settlement.unrecorded { held[action] = (key, timer) }
            profile = settlement.profile
        }
    }

    /// Puts back what was decided and is not recorded. Returns the step that brings the sums up to the state; it changes
    /// nothing else.
    package func finish() -> Step {
        for (_, entry) in held.sorted(by: { $0.key < $1.key }) {
            edit(entry.customer) { _, profile in
                let isThere = profile.timers.contains { $0.rule == entry.timer.rule && $0.occasion == entry.timer.occasion }
                if !isThere && profile.timers.count < Limits.timersMax { profile.timers.append(entry.timer) }
            }
        }
        held = [:]
        takeSums()
        // How many events there were is what was counted; how many customers, orders and timers there are is what is there.
        for delta in lacking {
            switch delta.counter {
            case .customers, .orders, .revenue: shard.brain.effects.add(delta.counter, delta.amount)
            case .timersArmed: shard.brain.effects.addArmed(delta.rule, delta.amount)
            case .members, .reachableMembers: shard.brain.effects.addMember(delta)
            case .events, .repeats, .setAside: break
            }
        }
        lacking = []
        sayLeftOut()
        return shard.takeStep()
    }

    /// Under numbers of their own, as any that are set aside: what the customers did is not lost.
    private func sayLeftOut() {
        for var event in leftOut {
            event.number = shard.setAsideNumbers.next()
            // A step has its bound: of very large ones the last are named only.
            if shard.brain.effects.byteCount + event.message.count > 2 * Limits.customerEffectBytesMax { event.message = [] }
            shard.brain.effects.add(.setAside(event))
            shard.brain.effects.add(.setAside, 1)
        }
        leftOut = []
    }

    /// What changing profiles by hand has added to the sums.
    private func takeSums() {
        let step = shard.takeStep()
        do {
            lacking += EffectsByCustomer(try step.decodedEffects()).sums
        } catch {
            preconditionFailure("effects that this program has just written: \(error)")
        }
    }

    /// Changes one customer, known or not.
    private func edit(_ key: CustomerKey, _ change: @escaping (UInt32?, inout Profile) -> Void) {
        // The customer's actor shares the shard's executor, which `assumeIsolated` checks.
        nonisolated(unsafe) let shard = shard
        // Called here and now, on that executor.
        nonisolated(unsafe) let change = change
        unsafe shard.customer.assumeIsolated { customer in
            let bytes = Array(key.text.utf8)
            let slot = unsafe shard.activate(0..<bytes.count, of: bytes, hash: key.hash, customer)
            if slot == nil { customer.activate(new: key) }
            var profile = customer.profile
            let armed = profile.timers
            unsafe change(slot, &profile)
            for timer in armed { unsafe shard.brain.effects.addArmed(timer.rule, -1) }
            for timer in profile.timers { unsafe shard.brain.effects.addArmed(timer.rule, 1) }
            let isCustomer = profile.isCustomer
            let clock = unsafe shard.clock
            unsafe shard.brain.follow(.all, at: clock, isCustomer: isCustomer, in: &profile)
            customer.replace(profile)
            unsafe shard.rest(slot, hash: key.hash, customer)
        }
    }

    private static func profile(_ packed: [UInt8]) -> Profile {
        var reader = ByteReader(packed, in: 1 + Int(packed[0])..<packed.count)
        var profile = Profile()
        do { try profile.unpack(from: &reader) } catch { preconditionFailure("a customer of this process: \(error)") }
        return profile
    }

    private static func differences(_ customer: CustomerKey?, own: [Effect], recorded: [Effect]) -> [Difference] {
        var left = own
        var found: [Difference] = []
        for effect in recorded {
            if let same = left.firstIndex(of: effect) {
                left.remove(at: same)
            } else {
                found.append(Difference(customer: customer, recorded: effect, own: nil))
            }
        }
        return found + left.map { Difference(customer: customer, recorded: nil, own: $0) }
    }
}

/// A step's effects, apart by whom they concern.
private struct EffectsByCustomer {
    var byCustomer: [CustomerKey: [Effect]] = [:]
    var others: [Effect] = []
    var sums: [SumDelta] = []

    init(_ effects: [Effect]) {
        for effect in effects {
            if case .sums(let deltas) = effect {
                sums += deltas
            } else if let customer = effect.customer {
                byCustomer[customer, default: []].append(effect)
            } else {
                others.append(effect)
            }
        }
    }
}

extension Effect {
    /// Whom it concerns; nil = nobody in particular.
    var customer: CustomerKey? {
        switch self {
        case .actionOpened(let opened): opened.customer
        case .suppressed(let decision), .postponed(let decision, _): decision.customer
        case .permitGranted(let grant): grant.customer
        case .permitDenied(let customer, _, _, _): customer
        case .actionClosed(let closed): closed.customer
        case .attributed(let attribution): attribution.customer
        case .actionMoved(let opened): opened.customer
        case .merged(_, let survivor, _): survivor
        case .duplicateOffered: nil
        case .messageSent, .messagesDelivered, .messageApplied: nil
        case .setAside, .replayed, .sums: nil
        }
    }
}
