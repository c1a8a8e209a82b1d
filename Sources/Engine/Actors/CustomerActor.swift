import Model

/// Owns a customer's profile and timers. Nothing else changes them.
///
/// A customer is dormant (packed bytes in its shard's table) until an event or a due wake-up activates it. What is usual this
/// actor changes where the bytes stand; for all else it is bound to the customer, and nothing of it is in flight when it is
/// bound to the next. It shares its executor with its shard, so
/// that inside a step every call is synchronous; isolation is checked once a step.
package final actor CustomerActor {
    private nonisolated let executor: any SerialExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    /// Where the bytes of its customer's key end in the profile's, whose first says how many they are.
    private var keyEnd = 1
    /// The key, once somebody has asked.
    private var knownKey: CustomerKey?
    private(set) var profile = Profile()
    /// Counted among the customers when it was bound to.
    private(set) var wasCustomer = false
    /// Bytes of a customer that is not in the table yet.
    var blank = PackWriter(reserving: 512)
    /// Its memberships are brought up with each event.
    private var isFollowed = false

    package init(executor: any SerialExecutor) { self.executor = executor }

    /// Binds to a dormant customer. Traps when the bytes are damaged: they never left this process's memory, or were
    /// checked when a snapshot was read.
    func activate(_ slot: UInt32, in table: CustomerTable) {
        let end = table.copy(slot, to: &profile.packed)
        keyEnd = 1 + Int(profile.packed[0])
        knownKey = nil
        let isSound = profile.fold(in: keyEnd..<end, wakeUp: table.wakeUp(of: slot))
        precondition(isSound, "the bytes of customer \(slot) are damaged")
        wasCustomer = isCustomer
        isFollowed = wasCustomer
    }

    /// A customer, and not only the place of an identifier or a mark.
    var isCustomer: Bool { !profile.identityPart.isMark && (!profile.identityPart.isClaimed || profile.hasContent) }

    /// Binds to a customer of whom nothing is known yet.
    func activate(new key: CustomerKey) {
        knownKey = key
        profile.clear()
        profile.packed = [UInt8(key.text.utf8.count)] + key.text.utf8
        keyEnd = profile.packed.count
        wasCustomer = false
        isFollowed = false
    }

    /// The customer it is bound to.
    var key: CustomerKey {
        if let knownKey { return knownKey }
        var reader = ByteReader(profile.packed, in: 1..<keyEnd)
        guard let text = reader.rest() else { preconditionFailure("a customer's key is damaged") }
        let key = CustomerKey(text)
        knownKey = key
        return key
    }

    /// Takes another profile for the customer it is bound to.
    func replace(_ profile: Profile) { self.profile = profile }

    /// Whether it is bound to the customer whose key stands there.
    func isBound(to bytes: [UInt8], in range: Range<Int>) -> Bool {
        keyEnd == 1 + range.count && bytes[range].elementsEqual(profile.packed[1..<keyEnd])
    }

    /// Runs the first thing that is due at `due`; it is decided at `now`, which is later when it comes late.
    func wake(due: Instant, at now: Instant, _ brain: inout Brain) {
        brain.wake(&profile, customer: key, due: due, at: now)
    }

    /// Gives the first thing up that is due at `due`, and names it.
    func giveUp(due: Instant, at now: Instant, saying: Bool, _ brain: inout Brain) -> String {
        brain.giveUp(&profile, customer: key, due: due, at: now, saying: saying)
    }

    func apply(_ body: Event.Body, at now: Instant, _ brain: inout Brain) throws(EventFault) {
        try brain.apply(body, at: now, customer: key, to: &profile)
    }

    func apply(_ order: OrderEvent, at now: Instant, _ brain: inout Brain) throws(EventFault) {
        try brain.apply(order, at: now, customer: key, to: &profile)
    }

    /// Brings the memberships up to `now`, as far as an event may have changed them; all of them for one that is new.
    func follow(_ touched: Facts, at now: Instant, _ brain: inout Brain) {
        let isCustomer = isCustomer
        brain.follow(isFollowed ? touched : .all, at: now, isCustomer: isCustomer, in: &profile)
        isFollowed = isCustomer
    }

    /// Brings the customer up to the brain's configuration; false when that changed nothing.
    func bringUp(_ fresh: Set<RuleID>, from adopted: Instant, at now: Instant, _ brain: inout Brain) -> Bool {
        let isCustomer = isCustomer
        return brain.bringUp(&profile, isCustomer: isCustomer, fresh, from: adopted, at: now)
    }

    func isBroughtUp(to revision: UInt64) -> Bool { profile.habits.broughtUp == revision && revision != 0 }
    func noteBroughtUp(to revision: UInt64) { profile.habits.broughtUp = revision }
    func forgetBroughtUp() { profile.habits.broughtUp = 0 }

    func apply(_ kind: ProductEvent.Kind) { Brain.apply(kind, to: &profile) }

    func claim(_ identifiers: [Identifier], _ brain: inout Brain) {
        brain.claim(identifiers, customer: key, in: &profile)
    }

    /// Somebody claims the identifier under whose key this stands.
    func take(claim identifier: Identifier, of customer: CustomerKey, former: CustomerKey?, _ brain: inout Brain) {
        brain.take(claim: identifier, of: customer, former: former, in: &profile)
    }

    /// Becomes part of another customer.
    func merge(into survivor: CustomerKey, _ brain: inout Brain) {
        brain.merge(key, into: survivor, in: &profile)
    }

    /// Another customer becomes part of this one.
    func absorb(_ other: Profile, of key: CustomerKey, at now: Instant, _ brain: inout Brain) {
        brain.absorb(other, of: key, at: now, customer: self.key, into: &profile)
    }

    /// The customer's bytes: the key, its length before it, and the profile.
    func pack(into writer: inout PackWriter) {
        writer.removeAll()
        writer.append(profile.packed, in: 0..<keyEnd)
        profile.pack(into: &writer)
    }

    /// How many actions are open; nil = as many as when it was bound to.
    var openChanged: Int? { profile.openPart.isUnchanged ? nil : profile.openPart.values.count }

    /// Its identity, when there is one and it is not what it was when it was bound to.
    var identityChanged: Identity? { profile.identityPart.isChanged ? profile.identity : nil }

    /// Milliseconds; `CustomerTable.noWakeUp` = never.
    var nextWakeUp: Int64 { profile.nextWakeUp }

    /// Where events for it go, when it is a mark.
    var leadsTo: CustomerKey? { profile.identityPart.isMark ? profile.identity?.leadsTo : nil }

    /// When this action was decided, if it is open.
    func decided(_ action: ActionID) -> Instant? { profile.open.first { $0.id == action }?.decided }
}
