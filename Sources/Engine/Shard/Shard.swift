package import Model

/// A shard's whole state, and the steps that change it: a deterministic fold over inputs, time and configuration (I4).
///
/// Not Sendable: it belongs to the actor that owns the shard, on whose executor every call is made. Synchronous.
package final class Shard {
    package let id: ShardID
    let map: ShardMap
    let timeMode: Installation.TimeMode
    /// The mode is live; asked for each event.
    let isLive: Bool
    /// Of a key's hash, what the map chooses its shard by; asked for each event.
    let keyMask: UInt64
    let customer: CustomerActor

    /// Sequence in IN of the message that was read last; 0 = none.
    package internal(set) var inputSequence: UInt64 = 0
    /// Events of that message that are applied; a clock record counts as one.
    package internal(set) var eventsThrough: UInt32 = 0
    /// Sequence of the last message that is applied in whole, as far as this object has seen.
    package internal(set) var completedInput: UInt64 = 0
    /// Never goes back.
    package internal(set) var clock = Instant.distantPast
    /// Events applied since this object was made.
    package internal(set) var eventsApplied: UInt64 = 0
    /// Customers bound to apply events since this object was made.
    package internal(set) var activations: UInt64 = 0
    /// Actions without an outcome.
    package internal(set) var openActions = 0
    /// Set aside since the installation began, and how many of those were replayed.
    package var setAside: UInt64 { setAsideNumbers.count }
    package var replayed: UInt64 { setAsideNumbers.replayed }

    let table = CustomerTable()
    var calendar = WakeUpCalendar()
    var window = MessageWindow()
    var brain: Brain
    var inbox = Inbox()
    /// While steps of another brain are run again: keeps the customers as they were before the step.
    var trusted: TrustedReplay?
    var setAsideNumbers = SetAsideNumbers()
    var caution = Caution()
    /// The number that the message being applied was set aside under; 0 = it comes for the first time.
    var replaying: UInt64 = 0
    /// How fast what is late may run. No state: a step records how much of it ran.
    var pace = LatePace()
    /// Whom the actor is bound to inside a step, its bytes in the table out of date.
    var bound: Bound?
    /// Whom the table's entries for the next events lead to; the memory is used again.
    var slotsAhead: [CustomerTable.Ahead] = []
    /// A customer's bytes on their way into the table.
    var packing = PackWriter()
    /// Usual events change their customer's bytes where they stand. Tests compare with a shard that binds for each.
    var appliesInPlace = true
    /// Slots with open actions, and how many each has.
    var openSlots: [UInt32: Int] = [:]
    /// Slots of identifiers that several customers claim.
    var doubtful: Set<UInt32> = []
    /// Those among the keys that are neither marks nor mere identifiers.
    package internal(set) var customers = 0
    /// The first customer that is not known to be brought up to the configuration; nil = all are.
    var sweepFrom: UInt32?
    /// Rules that the configuration switched on.
    var fresh: Set<RuleID> = []
    /// The clock when the configuration was adopted: from then on its rules count, whenever a customer's turn comes.
    var adoptedAt = Instant.distantPast
    /// The configuration has changed since the last step.
    var hasAdopted = false
    /// Customers that changed since the last snapshot was captured.
    var changed = SlotSet()
    /// The snapshot that is being captured.
    var capture: SnapshotCapture?
    /// How much of the window the last snapshot holds, and the one that is being captured.
    var capturedWindow: (pending: MessageWindow.Mark?, written: MessageWindow.Mark?)

    package init(id: ShardID, installation: Installation, rules: CompiledRules, executor: any SerialExecutor) {
        self.id = id
        map = installation.shards
        timeMode = installation.timeMode
        isLive = timeMode == .live
        keyMask = UInt64(installation.shards.shards - 1)
        customer = CustomerActor(executor: executor)
        brain = Brain(rules: rules, products: ProductTable(), shards: installation.shards, isLive: isLive)
    }

    package var rules: CompiledRules { brain.rules }

    /// From now on decisions follow this revision. Takes effect between steps, and only where ``mayAdopt`` holds. Those that
    /// something happens to are brought up to it before, the others by the sweep that begins here.
    package func adopt(_ rules: CompiledRules) {
        precondition(mayAdopt, "a configuration before everybody was brought up to the last one")
        if table.count > 0 {
            hasAdopted = true
            adoptedAt = clock
            sweepFrom = 0
            fresh = Set(rules.gists.filter { $0.enabled && !brain.rules.isEnabled($0.id) }.map(\.id))
        }
        brain.rules = rules
        brain.products.forgetDerived()
    }

    /// The last configuration stands in a step already, and everybody has been brought up to it: so a replay adopts the same
    /// ones, and each counts for everybody from the moment of its adoption.
    package var mayAdopt: Bool { !hasAdopted && sweepFrom == nil }

    /// Not all customers have been brought up to the configuration yet.
    package var isSweeping: Bool { sweepFrom != nil }

    /// Earliest wake-up that is not known to be late is due by `limit`?
    package func hasWakeUps(through limit: Instant) -> Bool {
        guard let entry = nextEntry(through: limit) else { return false }
        calendar.insert(entry)
        return true
    }

    func nextEntry(through limit: Instant) -> WakeUpCalendar.Entry? {
        let table = table
        return calendar.next(
            through: limit.milliseconds, prepare: { table.prefetch($0) },
            isCurrent: { table.wakeUp(of: $0.slot) == $0.due })
    }

    func nextLateEntry() -> WakeUpCalendar.Entry? {
        let table = table
        return calendar.nextLate { table.wakeUp(of: $0.slot) == $0.due }
    }

    /// What is further behind the clock than the bound gives way from now on.
    func retireLate() {
        let table = table
        calendar.retire(through: (clock + -Limits.lateMilliseconds).milliseconds) { table.wakeUp(of: $0.slot) == $0.due }
    }

    func hasLate() -> Bool {
        guard let entry = nextLateEntry() else { return false }
        calendar.insert(entry)
        return true
    }

    /// A customer in the middle of its events.
    struct Bound {
        /// Nil = new, not in the table yet.
        var slot: UInt32?
        var hash: UInt64
    }

    /// Packs the customer that was kept bound from one event to the next.
    func settle(_ customer: isolated CustomerActor) {
        guard let last = bound else { return }
        bound = nil
        rest(last.slot, hash: last.hash, customer)
    }

    /// Binds the actor to the customer whose key stands there; nil when unknown.
    func activate(_ key: Range<Int>, of bytes: [UInt8], hash: UInt64, _ customer: isolated CustomerActor) -> UInt32? {
        guard let slot = table.slot(hash: hash, key: bytes, in: key) else { return nil }
        customer.activate(slot, in: table)
        return slot
    }

    /// Packs the customer the actor is bound to and notes its next wake-up; `slot` nil = a new customer.
    func rest(_ slot: UInt32?, hash: UInt64, _ customer: isolated CustomerActor) {
        customer.pack(into: &packing)
        let place: UInt32
        if let slot {
            if let trusted, trusted.before[slot] == nil { table.load(slot, into: &trusted.before[slot, default: []]) }
            if capture != nil { capture?.write(slot, self) }
            table.store(slot, packing)
            place = slot
        } else {
            place = table.add(hash: hash, packed: packing)
        }
        let isCustomer = customer.isCustomer
        if isCustomer != customer.wasCustomer {
            customers += isCustomer ? 1 : -1
            brain.effects.add(.customers, isCustomer ? 1 : -1)
        }
        changed.insert(place)
        note(wakeUp: customer.nextWakeUp, of: place)
        if let open = customer.openChanged { note(open: open, of: place) }
        if customer.profile.identityPart.isChanged, let identity = customer.identityChanged {
            note(identity, under: customer.key, of: place)
        }
    }

    func note(_ identity: Identity, under key: CustomerKey, of slot: UInt32) {
        if identity.isDoubtful(under: key) {
            doubtful.insert(slot)
        } else if !doubtful.isEmpty {
            doubtful.remove(slot)
        }
    }

    func note(wakeUp due: Int64, of slot: UInt32) {
        guard table.wakeUp(of: slot) != due else { return }
        table.setWakeUp(of: slot, due)
        guard due != CustomerTable.noWakeUp else { return }
        calendar.insert(WakeUpCalendar.Entry(due: due, slot: slot))
        if calendar.count > 2 * table.wakeUps + 4096 { rebuildCalendar() }
    }

    func note(open count: Int, of slot: UInt32) {
        if count == 0 && openSlots.isEmpty { return }
        let before = openSlots[slot] ?? 0
        guard count != before else { return }
        openSlots[slot] = count == 0 ? nil : count
        openActions += count - before
    }

    /// Leaves only what is current.
    func rebuildCalendar() {
        calendar.removeAll()
        for slot in 0..<UInt32(table.count) {
            let due = table.wakeUp(of: slot)
            if due != CustomerTable.noWakeUp { calendar.insert(WakeUpCalendar.Entry(due: due, slot: slot)) }
        }
    }
}
