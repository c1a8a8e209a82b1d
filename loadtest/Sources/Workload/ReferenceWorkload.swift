package import Model

/// The reference workload W1: events that are a pure function of three numbers, so that different systems can be given
/// the same ones and their answers compared.
package struct ReferenceWorkload: Hashable, Sendable {
    /// C: how many customers the events are spread over.
    package let customers: UInt64
    /// E: how many events there are.
    package let events: UInt64
    package let seed: UInt64

    /// The bound of both numbers: up to it no product of theirs overflows.
    package static let countMax: UInt64 = 1_000_000_000
    /// 2024-01-01T00:00:00Z.
    package static let start = Instant(milliseconds: 1_704_067_200_000)
    package static let spanMilliseconds = 180 * Milliseconds.day
    /// When the last timers fire: the instant of the closing clock record.
    package static let closing = start + spanMilliseconds
    package static let products: UInt64 = 1000

    /// Nil unless there is at least one customer and neither number is over ``countMax``.
    package init?(customers: UInt64, events: UInt64, seed: UInt64 = 42) {
        guard customers >= 1, customers <= Self.countMax, events <= Self.countMax else { return nil }
        self.customers = customers
        self.events = events
        self.seed = seed
    }

    /// Event `index`, which must be below `events`.
    package func event(at index: UInt64) -> ReferenceEvent {
        precondition(index < events, "event \(index) of \(events)")
        let random = SplitMix(seed: seed)
        let a = random.value(at: 2 * index)
        let b = random.value(at: 2 * index + 1)
        let kind: ReferenceEvent.Kind =
            switch b % 10 {
            case 0...2: .order
            case 3...8: .view
            default: .click
            }
        return ReferenceEvent(
            index: index, customer: a % customers, kind: kind, product: (b >> 8) % Self.products,
            amount: Int64(100 + (b >> 24) % 100_000),
            time: Self.start + Int64(index * UInt64(Self.spanMilliseconds) / events))
    }
}

/// One event of the workload, before it takes the form that the cluster speaks.
package struct ReferenceEvent: Equatable, Sendable {
    package enum Kind: Sendable { case order, view, click }

    package let index: UInt64
    /// Below the workload's `customers`.
    package let customer: UInt64
    package let kind: Kind
    /// Below ``ReferenceWorkload/products``.
    package let product: UInt64
    /// Minor units.
    package let amount: Int64
    package let time: Instant

    /// The customer's key, `u:<n>`.
    package var customerKey: CustomerKey { .user(String(customer)) }

    /// The same as the cluster's input; `seed` tells the message ids of different workloads apart.
    package func input(seed: UInt64) -> Event {
        Event(messageID: messageID(seed: seed), customer: customerKey, time: time, body: body)
    }

    /// Unique and never 0: the low half is a bijection of the index.
    private func messageID(seed: UInt64) -> UInt128 {
        let high = SplitMix.mix(seed &+ index)
        let low = SplitMix.mix(index + 1)
        return UInt128(high) << 64 | UInt128(low)
    }

    private var body: Event.Body {
        switch kind {
        case .order:
            .order(
                OrderEvent(
                    orderID: "o\(index)", change: .placed, revenue: amount,
                    lines: [OrderLine(product: Product(id: "p\(product)"), quantity: 1, price: amount)]))
        case .view:
            .product(ProductEvent(kind: .viewed, product: Product(id: "p\(product)")))
        case .click:
            .engagement(Engagement(kind: .clicked))
        }
    }
}
