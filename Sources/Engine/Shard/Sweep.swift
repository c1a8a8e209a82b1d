import Model

// A new configuration reaches every customer before anything else does: those that something happens to, just before it;
// the others in bounded pieces behind all other work. The cursor is part of the shard's state, and each step says how far it
// went (I4, I8).
//
//   adopt --> cursor at the first customer --steps, so many at a time--> behind the last one: all are brought up
//
// Who was brought up before its turn bears the revision until its turn has passed over it: nobody is brought up twice, or
// what was decided meanwhile could be set up again. A customer that is new meanwhile begins with the configuration.

extension Shard {
    /// Brings up so many customers, or as many as are left; returns how many.
    func sweep(atMost most: UInt32, _ customer: isolated CustomerActor) -> UInt32 {
        guard let from = sweepFrom, most > 0 else { return 0 }
        let end = UInt32(min(table.count, Int(from) + Int(most)))
        for slot in from..<max(from, end) {
            customer.activate(slot, in: table)
            let wasBroughtUp = customer.isBroughtUp(to: rules.set.revision)
            let isChanged = wasBroughtUp || customer.bringUp(fresh, from: adoptedAt, at: clock, &brain)
            if wasBroughtUp { customer.forgetBroughtUp() }
            if isChanged { rest(slot, hash: 0, customer) }
        }
        sweepFrom = end < UInt32(table.count) ? end : nil
        if sweepFrom == nil { fresh = [] }
        return max(from, end) - from
    }

    /// Something is about to happen to the customer, and its turn has not come yet.
    @inline(__always)
    func bringUpFirst(_ slot: UInt32, _ customer: isolated CustomerActor) {
        if let sweepFrom, slot >= sweepFrom { bringUp(customer) }
    }

    private func bringUp(_ customer: isolated CustomerActor) {
        if customer.isBroughtUp(to: rules.set.revision) { return }
        _ = customer.bringUp(fresh, from: adoptedAt, at: clock, &brain)
        customer.noteBroughtUp(to: rules.set.revision)
    }
}
