import Model

/// A new order as most are: it says what it is worth, in the right currency, of products that are known.
struct PlacedOrder {
    static let linesMax = 4

    var placed: Instant
    /// Where the id stands in the message.
    var id: Range<Int>
    var revenue: Int64
    var lines: Int
    /// Of the first `lines` lines: index in the shard's table.
    var products = InlineArray<4, UInt32>(repeating: 0)

    /// Of its packed form, as far as they follow from what it is worth.
    var flags: UInt8 { Int64(Int32(truncatingIfNeeded: revenue)) != revenue ? PackedOrder.wide : 0 }
}

// Applies as `OrderFold.swift` does, or not at all.

extension Brain {
    /// Reads an order event's body. Nil says nothing: whoever gets it reads the event as any other.
    func placedOrder(from bytes: [UInt8], in range: Range<Int>, at now: Instant) -> PlacedOrder? {
        PackReader.read(bytes, in: range) { reader -> PlacedOrder? in
            var order = PlacedOrder(placed: now, id: reader.asciiBlock(), revenue: 0, lines: 0)
            let isPlaced = reader.byte() == OrderEvent.Change.placed.rawValue
            let hasRevenue = reader.byte() == 1
            guard isPlaced && hasRevenue && order.id.count <= Limits.identifierBytesMax else { return nil }
            order.revenue = reader.signed()
            let currency = reader.block()
            order.lines = reader.count(max: PlacedOrder.linesMax)
            for line in 0..<order.lines {
                guard let product = reader.line(products) else { return nil }
                order.products[line] = product
            }
            reader.skipASCII()
            let isRight =
                reader.isSound && reader.isAtEnd && order.revenue.magnitude <= UInt64(Limits.moneyMax)
                && (currency.isEmpty || reader.holds(rules.currency, in: currency))
            return isRight ? order : nil
        }
    }

    /// Applies the order to the customer, which is written anew. Returns when the customer wants to be woken next; nil =
    /// nothing was changed, because somebody has to look closer.
    mutating func place(
        _ order: PlacedOrder, of bytes: [UInt8], on customer: PackedCustomer, into writer: inout PackWriter
    ) -> Int64? {
        unsafe bytes.withUnsafeBufferPointer { all in
            unsafe place(order, id: UnsafeBufferPointer(rebasing: all[order.id]), on: customer, into: &writer)
        }
    }

    private mutating func place(
        _ order: PlacedOrder, id: UnsafeBufferPointer<UInt8>, on customer: PackedCustomer, into writer: inout PackWriter
    ) -> Int64? {
        let timersMore = rules.lapse.count + order.lines * rules.consumption.count + rules.review.count
        guard customer.parts.isDisjoint(with: [.open, .touches, .mark, .claimed, .habits]),
            let known = unsafe customer.orderCount(without: id), known < Limits.ordersKeptMax,
            customer.purchases + order.lines <= Limits.productsKeptMax,
            customer.timersBytes / PackedTimer.count + timersMore <= Limits.timersMax
        else { return nil }
        let rules = rules
        let isFulfilled = rules.set.fulfilledOnPlaced
        let placed = order.placed.milliseconds
        let next = unsafe customer.write(
            order, id: id, isFulfilled: isFulfilled, into: &writer, timersMax: timersMore * PackedTimers.oneMax
        ) { timers, before, after, bought in
            // A late one says nothing about the last; of two at one instant the first has set the timer.
            if before != placed && after == placed { armLapse(&timers, placed, rules) }
            guard isFulfilled else { return }
            for line in 0..<order.lines where bought & (1 << UInt8(line)) != 0 {
                armReminders(&timers, order.products[line], placed, rules)
            }
            for index in rules.review {
                let gist = rules.gists[index]
                let isNew = unsafe timers.arm(gist.id, .order(id), anchor: placed, due: placed + gist.afterMilliseconds)
                if isNew { effects.addArmed(gist.id, 1) }
            }
        }
        effects.add(.orders, 1)
        effects.add(.revenue, order.revenue)
        return next
    }

    @inline(__always)
    private mutating func armLapse(_ timers: inout PackedTimers, _ placed: Int64, _ rules: CompiledRules) {
        for index in rules.lapse {
            let gist = rules.gists[index]
            let isNew = timers.arm(gist.id, .lapse, anchor: placed, due: placed + gist.afterMilliseconds)
            if isNew { effects.addArmed(gist.id, 1) }
        }
    }

    @inline(__always)
    private mutating func armReminders(
        _ timers: inout PackedTimers, _ product: UInt32, _ placed: Int64, _ rules: CompiledRules
    ) {
        for position in rules.consumption.indices {
            guard let delay = products.reminderDelay(product, consumptionRule: position, rules: rules) else { continue }
            let rule = rules.gists[rules.consumption[position]].id
            if timers.arm(rule, .product(product), anchor: placed, due: placed + delay) { effects.addArmed(rule, 1) }
        }
    }
}
