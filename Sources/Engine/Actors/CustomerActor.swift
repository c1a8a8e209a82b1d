import Model

/// Owns a customer's profile and timers. Nothing else changes them.
///
/// A customer is dormant (packed bytes in its shard's table) until an event or a due wake-up activates it: then this actor
/// is bound to it, and nothing of it is in flight when it is bound to the next. It shares its executor with its shard, so
/// that inside a step every call is synchronous; isolation is checked once a step.
package final actor CustomerActor {
    private nonisolated let executor: any SerialExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    /// The customer it is bound to.
    private(set) var key = CustomerKey("")
    private(set) var profile = Profile()
    private var packed: [UInt8] = []
    /// Counted among the customers when it was bound to.
    private(set) var wasCustomer = false

    package init(executor: any SerialExecutor) { self.executor = executor }

    /// Binds to a dormant customer. Traps when the bytes are damaged: they never left this process's memory, or were
    /// checked when a snapshot was read.
    func activate(_ slot: UInt32, in table: CustomerTable) {
        table.load(slot, into: &packed)
        let keyEnd = 1 + Int(packed[0])
        do throws(FormatError) {
            var keyReader = ByteReader(packed, in: 1..<keyEnd)
            key = try CustomerKey.read(&keyReader)
            var reader = ByteReader(packed, in: keyEnd..<packed.count)
            try profile.unpack(from: &reader)
        } catch {
            preconditionFailure("dormant customer \(slot): \(error)")
        }
        wasCustomer = profile.isCustomer
    }

    /// Binds to a customer of whom nothing is known yet.
    func activate(new key: CustomerKey) {
        self.key = key
        profile.clear()
        wasCustomer = false
    }

    /// Takes another profile for the customer it is bound to.
    func replace(_ profile: Profile) { self.profile = profile }

    /// Whether it is bound to the customer whose key stands there.
    func isBound(to bytes: [UInt8], in range: Range<Int>) -> Bool { key.text.utf8.elementsEqual(bytes[range]) }

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
    func pack() -> [UInt8] {
        var writer = ByteWriter(reserving: 128)
        writer.byte(UInt8(key.text.utf8.count))
        writer.bytes.append(contentsOf: key.text.utf8)
        profile.pack(into: &writer)
        return writer.bytes
    }

    /// Milliseconds; `CustomerTable.noWakeUp` = never.
    var nextWakeUp: Int64 { profile.nextWakeUp?.milliseconds ?? CustomerTable.noWakeUp }
}
