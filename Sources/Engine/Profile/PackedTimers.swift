import Model

/// What a timer is about, without its text.
@safe enum PackedOccasion {
    case lapse
    case product(UInt32)
    /// An order, whose id stands there.
    case order(UnsafeBufferPointer<UInt8>)
    /// What nothing is decided upon in place.
    case other
}

/// A customer's timers as they stand in its bytes (``PackedTimer``), in the order in which they were set.
///
/// Invariant: the first `count` bytes at `start` are timers, `room` bytes may be written; the memory is that of a customer's
/// piece or of a writer, and this value must not leave the call that was given it.
@safe struct PackedTimers {
    private let start: UnsafeMutablePointer<UInt8>
    private(set) var count: Int
    private let room: Int

    @unsafe @inline(__always)
    init(_ start: UnsafeMutablePointer<UInt8>, count: Int, room: Int) {
        precondition(count <= room, "timers beyond their room")
        unsafe self.start = start
        self.count = count
        self.room = room
    }

    /// A timer and where it stands.
    struct Found {
        let place: Int
        let length: Int
        let rule: RuleID
        let anchor: Int64
        let firstDue: Int64
        let due: Int64
        let occasion: PackedOccasion
    }

    /// Length of the timer that begins there, which lies in the list.
    @inline(__always)
    private func length(_ place: Int) -> Int {
        precondition(place + PackedTimer.count <= count, "a customer's bytes are damaged")
        let tag = unsafe start[place]
        var length = PackedTimer.count + (tag & PackedTimer.postponed != 0 ? PackedTimer.postponedCount : 0)
        switch tag & ~PackedTimer.postponed {
        case PackedTimer.lapse, PackedTimer.cart: break
        case PackedTimer.product, PackedTimer.views: length += 3
        case PackedTimer.date: length += 8
        case PackedTimer.segment: length += 2
        default:
            precondition(place + length < count, "a customer's bytes are damaged")
            length += 1 + Int(unsafe start[place + length])
        }
        precondition(place + length <= count, "a customer's bytes are damaged")
        return length
    }

    /// When the first of them is due; milliseconds, `CustomerTable.noWakeUp` = there is none.
    @inline(__always)
    var next: Int64 {
        var next = CustomerTable.noWakeUp
        var place = 0
        while place < count {
            let length = length(place)
            next = min(next, unsafe start.time(place + PackedTimer.due))
            place += length
        }
        return next
    }

    /// The first timer due then, and when the first of the others is due; nil = none is.
    @inline(__always)
    func first(due: Int64) -> (timer: Found, next: Int64)? {
        var next = CustomerTable.noWakeUp
        var found = -1
        var foundLength = 0
        var place = 0
        while place < count {
            let length = length(place)
            let time = unsafe start.time(place + PackedTimer.due)
            if time == due && found < 0 {
                found = place
                foundLength = length
            } else {
                next = min(next, time)
            }
            place += length
        }
        return found < 0 ? nil : (timer(found, foundLength), next)
    }

    @inline(__always)
    private func timer(_ place: Int, _ length: Int) -> Found {
        let tag = unsafe start[place]
        let due = unsafe start.time(place + PackedTimer.due)
        let isPostponed = tag & PackedTimer.postponed != 0
        let subject = place + PackedTimer.count + (isPostponed ? PackedTimer.postponedCount : 0)
        let occasion: PackedOccasion
        switch tag & ~PackedTimer.postponed {
        case PackedTimer.lapse: occasion = .lapse
        case PackedTimer.product: occasion = .product(unsafe start.small(subject))
        case PackedTimer.order:
            occasion = unsafe .order(
                UnsafeBufferPointer(start: UnsafePointer(start + subject + 1), count: place + length - subject - 1))
        default: occasion = .other
        }
        return unsafe Found(
            place: place, length: length, rule: RuleID(start.load(place + PackedTimer.rule)),
            anchor: start.time(place + PackedTimer.anchor),
            firstDue: isPostponed ? start.time(place + PackedTimer.count) : due, due: due, occasion: occasion)
    }

    /// Place and length of the rule's timer for this occasion.
    @inline(__always)
    func find(_ rule: RuleID, _ occasion: PackedOccasion, except other: Int = -1) -> (place: Int, length: Int)? {
        var place = 0
        while place < count {
            let length = length(place)
            if unsafe start.load(place + PackedTimer.rule, as: UInt32.self) == rule.number && place != other,
                isAbout(occasion, place, length)
            {
                return (place, length)
            }
            place += length
        }
        return nil
    }

    @inline(__always)
    private func isAbout(_ occasion: PackedOccasion, _ place: Int, _ length: Int) -> Bool {
        let tag = unsafe start[place]
        let subject = place + PackedTimer.count + (tag & PackedTimer.postponed != 0 ? PackedTimer.postponedCount : 0)
        switch (occasion, tag & ~PackedTimer.postponed) {
        case (.lapse, PackedTimer.lapse): return true
        case (.product(let product), PackedTimer.product): return unsafe start.small(subject) == product
        case (.order(let id), PackedTimer.order):
            guard place + length - subject - 1 == id.count, let first = id.baseAddress else { return false }
            return unsafe (start + subject + 1).equals(first, count: id.count)
        default: return false
        }
    }

    /// Sets the rule's timer for this occasion, anew when there is one; true when there was none. There must be room.
    @inline(__always)
    mutating func arm(_ rule: RuleID, _ occasion: PackedOccasion, anchor: Int64, due: Int64) -> Bool {
        precondition(
            anchor >= 0 && due >= 0 && anchor < PackWriter.noTime && due < PackWriter.noTime,
            "a timer from \(anchor) to \(due) ms")
        if let known = find(rule, occasion) {
            if unsafe start[known.place] & PackedTimer.postponed != 0 {
                unsafe start[known.place] &= ~PackedTimer.postponed
                remove(known.place + PackedTimer.count, PackedTimer.postponedCount)
            }
            unsafe start.store(time: due, at: known.place + PackedTimer.due)
            unsafe start.store(time: anchor, at: known.place + PackedTimer.anchor)
            return false
        }
        precondition(count + PackedTimer.count + 0x100 <= room, "timers beyond their room")
        let place = count
        unsafe start.store(rule.number, at: place + PackedTimer.rule)
        unsafe start.store(time: due, at: place + PackedTimer.due)
        unsafe start.store(time: anchor, at: place + PackedTimer.anchor)
        count += PackedTimer.count
        switch occasion {
        case .lapse: unsafe start[place] = PackedTimer.lapse
        case .product(let product):
            unsafe start[place] = PackedTimer.product
            unsafe start.store(small: product, at: count)
            count += 3
        case .order(let id):
            unsafe start[place] = PackedTimer.order
            unsafe start[count] = UInt8(id.count)
            if let first = id.baseAddress { unsafe (start + count + 1).update(from: first, count: id.count) }
            count += 1 + id.count
        case .other: preconditionFailure("a timer that is not set in place")
        }
        return true
    }

    /// Room that a timer more may take.
    static let oneMax = PackedTimer.count + 0x100

    private mutating func remove(_ place: Int, _ length: Int) {
        unsafe (start + place).update(from: start + place + length, count: count - place - length)
        count -= length
    }
}
