import Model

/// A dormant customer's bytes where they stand, in the form of `ProfileCoding.swift`. What most events change is changed here
/// by the customer's actor, byte for byte as binding it, changing its profile and packing it would; for all else it is bound.
///
/// Invariant: `start` is a customer's piece of the slab, or a writer's memory, with `count` bytes; nothing is stored and no
/// writer grows while this value is in use, and it must not leave the call that was given it. All places that are read or
/// written lie within `count`, which is checked once for the parts, and by each list for its elements.
@safe struct PackedCustomer {
    private let start: UnsafeMutablePointer<UInt8>
    private(set) var count: Int
    /// Where the profile begins.
    private let front: Int
    let parts: Profile.Parts
    /// Where the lists begin.
    private let orders: Int
    private let products: Int
    private let timersAt: Int
    private let others: Int

    @unsafe @inline(__always)
    init(_ start: UnsafeMutablePointer<UInt8>, count: Int) {
        precondition(count > Profile.Front.count, "a customer's bytes are damaged")
        unsafe self.start = start
        self.count = count
        front = 1 + Int(unsafe start[0])
        precondition(front + Profile.Front.count <= count, "a customer's bytes are damaged")
        parts = Profile.Parts(rawValue: unsafe start.load(front))
        orders = front + Profile.Front.count + Int(unsafe start[front + Profile.Front.head])
        products = orders + Int(unsafe start.load(front + Profile.Front.orders, as: UInt16.self))
        timersAt = products + Int(unsafe start.load(front + Profile.Front.products, as: UInt16.self))
        others = timersAt + Int(unsafe start.load(front + Profile.Front.timers, as: UInt16.self))
        precondition(others <= count, "a customer's bytes are damaged")
    }

    /// The key, its length before it.
    @unsafe @inline(__always)
    var keyWithCount: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: start, count: front) }

    /// The key alone.
    @unsafe @inline(__always)
    var key: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: start + 1, count: front - 1) }

    // MARK: Head

    enum Counter: Int {
        case views = 0
        case clicks, opens
    }

    /// Counts one more, when that takes no more bytes; else false, and nothing is changed.
    @inline(__always)
    func increment(_ counter: Counter) -> Bool {
        var place = front + Profile.Front.count
        for _ in 0..<counter.rawValue { skipVarint(&place) }
        let first = place
        while place < orders {
            let byte = unsafe start[place]
            if byte & 0x7f != 0x7f {
                unsafe start[place] = byte + 1
                var carried = first
                while carried < place {
                    unsafe start[carried] = 0x80
                    carried += 1
                }
                return true
            }
            if byte < 0x80 { return false }
            place += 1
        }
        return false
    }

    @inline(__always)
    private func skipVarint(_ place: inout Int) {
        while place < orders, unsafe start[place] >= 0x80 { place += 1 }
        place += 1
    }

    @inline(__always)
    private func signed(_ place: inout Int) -> Int64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while place < orders {
            let byte = unsafe start[place]
            place += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { break }
            shift += 7
        }
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// Where first order, last order and the lapse decided stand, when ``Profile/Parts/orders`` says that they do.
    @inline(__always)
    private var times: Int {
        var place = front + Profile.Front.count
        for _ in 0..<3 { skipVarint(&place) }
        precondition(place + 18 <= orders, "a customer's bytes are damaged")
        return place
    }

    /// Milliseconds; nil = none.
    @inline(__always)
    var lastOrder: Int64? {
        guard parts.contains(.orders) else { return nil }
        let time = unsafe start.time(times + 6)
        return time == PackWriter.noTime ? nil : time
    }

    /// Lapses up to this due time have come up. There must be something known of orders.
    @inline(__always)
    func noteLapse(decided due: Int64) {
        precondition(parts.contains(.orders) && due >= 0 && due < PackWriter.noTime, "a lapse without orders")
        let place = times + 12
        let known = unsafe start.time(place)
        if known == PackWriter.noTime || known < due { unsafe start.store(time: due, at: place) }
    }

    // MARK: Lists

    /// The last purchase of the product, milliseconds; nil = none is known.
    @inline(__always)
    func lastPurchase(_ product: UInt32) -> Int64? {
        var place = products
        while place + PackedPurchase.count <= timersAt {
            if unsafe start.small(place) == product { return unsafe start.time(place + PackedPurchase.last) }
            place += PackedPurchase.count
        }
        return nil
    }

    /// Goes over the orders, the oldest first: where each stands, and where its id's length does.
    @inline(__always)
    private func eachOrder(_ look: (_ place: Int, _ idPlace: Int) -> Void) {
        var place = orders
        while place < products {
            let flags = unsafe start[place]
            let id = place + PackedOrder.idOffset(flags)
            precondition(id < products, "a customer's bytes are damaged")
            let end = id + 1 + Int(unsafe start[id]) + PackedOrder.tailCount(flags)
            precondition(end <= products, "a customer's bytes are damaged")
            look(place, id)
            place = end
        }
    }

    /// The state of the newest order of this id; nil = it is not kept.
    @inline(__always)
    func state(ofOrder id: UnsafeBufferPointer<UInt8>) -> Order.State? {
        var state: Order.State?
        eachOrder { place, idPlace in
            if unsafe isOrder(id, idPlace) { state = Order.State(rawValue: unsafe start[place] & PackedOrder.state) }
        }
        return state
    }

    /// How many orders are kept; nil = one of this id is among them.
    @inline(__always)
    func orderCount(without id: UnsafeBufferPointer<UInt8>) -> Int? {
        var count = 0
        var isAmong = false
        eachOrder { _, idPlace in
            count += 1
            if unsafe isOrder(id, idPlace) { isAmong = true }
        }
        return isAmong ? nil : count
    }

    @inline(__always)
    private func isOrder(_ id: UnsafeBufferPointer<UInt8>, _ idPlace: Int) -> Bool {
        guard Int(unsafe start[idPlace]) == id.count, let first = id.baseAddress else { return false }
        return unsafe (start + idPlace + 1).equals(first, count: id.count)
    }

    var purchases: Int { (timersAt - products) / PackedPurchase.count }
    var timersBytes: Int { others - timersAt }

    @inline(__always)
    var timers: PackedTimers { unsafe PackedTimers(start + timersAt, count: others - timersAt, room: others - timersAt) }

    /// Takes a timer out. ``count`` says how many bytes are left; this value is of no more use.
    @inline(__always)
    mutating func remove(_ timer: PackedTimers.Found) {
        let place = timersAt + timer.place
        let rest = place + timer.length
        unsafe (start + place).update(from: start + rest, count: count - rest)
        unsafe start.store(UInt16(others - timersAt - timer.length), at: front + Profile.Front.timers)
        count -= timer.length
    }

    // MARK: Another order

    /// Writes the customer anew: all that it was, with one order more, ``PlacedOrder/placed`` being its time. `arm` sets the
    /// timers. Returns what was bought for the first time at this instant: a bit for each line; and when the customer wants to
    /// be woken next.
    @inline(__always)
    func write(
        _ order: PlacedOrder, id: UnsafeBufferPointer<UInt8>, isFulfilled: Bool, into writer: inout PackWriter,
        timersMax: Int, arm: (inout PackedTimers, _ known: Int64?, _ last: Int64, _ bought: UInt8) -> Void
    ) -> Int64 {
        let base = writer.count
        unsafe writer.append(keyWithCount)
        writer.fixed(parts.union(.orders).rawValue)
        for _ in 0..<7 { writer.byte(0) }
        let known = writeHead(order, into: &writer)
        writer.put(UInt8(writer.count - base - front - Profile.Front.count), at: base + front + Profile.Front.head)
        append(orders..<products, to: &writer)
        unsafe writer.append(order, id, isFulfilled: isFulfilled)
        let ordersCount = products - orders + PackedOrder.idOffset(order.flags) + 1 + id.count
        writer.put(UInt16(ordersCount), at: base + front + Profile.Front.orders)
        let bought = isFulfilled ? writePurchases(order, into: &writer, base + front) : 0
        if !isFulfilled { append(products..<timersAt, to: &writer) }
        if !isFulfilled { writer.put(UInt16(timersAt - products), at: base + front + Profile.Front.products) }
        var next = CustomerTable.noWakeUp
        let timersStart = writer.count
        append(timersAt..<others, to: &writer)
        writer.changeTimers(from: timersStart, more: timersMax) { timers in
            arm(&timers, known.before, known.after, bought)
            next = timers.next
        }
        writer.put(UInt16(writer.count - timersStart), at: base + front + Profile.Front.timers)
        append(others..<count, to: &writer)
        return next
    }

    @inline(__always)
    private func append(_ range: Range<Int>, to writer: inout PackWriter) {
        unsafe writer.append(UnsafeRawBufferPointer(start: start + range.lowerBound, count: range.count))
    }

    /// Returns the last order as it was and as it is.
    @inline(__always)
    private func writeHead(_ order: PlacedOrder, into writer: inout PackWriter) -> (before: Int64?, after: Int64) {
        let counters = front + Profile.Front.count
        let placed = order.placed.milliseconds
        guard parts.contains(.orders) else {
            var end = counters
            for _ in 0..<3 { skipVarint(&end) }
            append(counters..<end, to: &writer)
            writer.time(order.placed)
            writer.time(order.placed)
            writer.time(orNone: nil)
            writer.signed(1)
            writer.signed(order.revenue)
            append(end..<orders, to: &writer)
            return (nil, placed)
        }
        let times = times
        append(counters..<times, to: &writer)
        let first = unsafe start.time(times)
        let last = unsafe start.time(times + 6)
        let after = last == PackWriter.noTime ? placed : max(last, placed)
        // None is more than any.
        writer.time(Instant(milliseconds: min(first, placed)))
        writer.time(Instant(milliseconds: after))
        append(times + 12..<times + 18, to: &writer)
        var place = times + 18
        writer.signed(signed(&place) + 1)
        writer.signed(signed(&place) + order.revenue)
        append(place..<orders, to: &writer)
        return (last == PackWriter.noTime ? nil : last, after)
    }

    /// Returns which lines were bought now, and not at this instant or later before.
    @inline(__always)
    private func writePurchases(_ order: PlacedOrder, into writer: inout PackWriter, _ front: Int) -> UInt8 {
        let from = writer.count
        append(products..<timersAt, to: &writer)
        var bought: UInt8 = 0
        for line in 0..<order.lines where writer.buy(order.products[line], at: order.placed.milliseconds, from: from) {
            bought |= 1 << UInt8(line)
        }
        writer.put(UInt16(writer.count - from), at: front + Profile.Front.products)
        return bought
    }
}

extension PackWriter {
    /// A customer of whom nothing is known yet.
    /// False when the key would have to be looked at closer.
    mutating func appendBlank(_ key: Range<Int>, of bytes: [UInt8]) -> Bool {
        guard key.count <= Limits.customerKeyBytesMax, bytes[key].allSatisfy({ $0 < 0x80 }) else { return false }
        byte(UInt8(key.count))
        append(bytes, in: key)
        fixed(UInt16(0))
        byte(3)
        for _ in 0..<3 { fixed(UInt16(0)) }
        for _ in 0..<3 { byte(0) }
        return true
    }

    @inline(__always)
    fileprivate mutating func append(_ order: PlacedOrder, _ id: UnsafeBufferPointer<UInt8>, isFulfilled: Bool) {
        let state: Order.State = isFulfilled ? .fulfilled : .placed
        byte(state.rawValue | order.flags | (isFulfilled ? PackedOrder.fulfilled : 0))
        time(order.placed)
        if order.flags & PackedOrder.wide != 0 { fixed(order.revenue) } else { fixed(Int32(order.revenue)) }
        byte(UInt8(id.count))
        unsafe append(UnsafeRawBufferPointer(id))
    }
}
