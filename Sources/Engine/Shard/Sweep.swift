import Model

// A new configuration reaches every customer: those that do something at once, the others in bounded pieces behind all
// other work. The cursor is part of the shard's state, and each step says how far it went (I4, I8).
//
//   adopt --> cursor at the first customer --steps, so many at a time--> behind the last one: all are brought up
//
// Bringing up twice is once: whoever did something meanwhile is brought up again when its turn comes. A customer that is
// new meanwhile is brought up with its first event.

extension Shard {
    /// Brings up so many customers, or as many as are left; returns how many.
    func sweep(atMost most: UInt32, _ customer: isolated CustomerActor) -> UInt32 {
        guard let from = sweepFrom, most > 0 else { return 0 }
        let end = UInt32(min(table.count, Int(from) + Int(most)))
        for slot in from..<max(from, end) {
            customer.activate(slot, in: table)
            if customer.bringUp(at: clock, &brain) { rest(slot, hash: 0, customer) }
        }
        sweepFrom = end < UInt32(table.count) ? end : nil
        return max(from, end) - from
    }
}
