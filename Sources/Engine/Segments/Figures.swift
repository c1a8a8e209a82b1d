import Model

// What conditions compute from a profile's lists.

/// An order, or something done, as conditions count it.
struct DatedAmount: Equatable, Sendable {
    var milliseconds: Int64
    var amount: Int64
    /// Milliseconds; it counts before this instant.
    var until = Int64.max
}

extension OrderFigure {
    func holds(_ how: Comparison, _ value: Int64, count: Int64, sum: Int64) -> Bool {
        switch self {
        case .count: return how.holds(count, value)
        case .sum: return how.holds(sum, value)
        case .average:
            guard count > 0 else { return false }
            let (product, overflow) = value.multipliedReportingOverflow(by: count)
            return overflow ? how.holds(value.signum() * -1, 0) : how.holds(sum, product)
        }
    }
}

extension TraitTest {
    func holds(_ value: String) -> Bool {
        switch self {
        case .exists: return true
        case .isOneOf(let values): return values.contains { $0.utf8.elementsEqual(value.utf8) }
        case .number(let how, let limit): return Self.number(value).map { how.holds($0, limit) } ?? false
        case .contains(let part):
            let (bytes, wanted) = (Array(value.utf8), Array(part.utf8))
            guard wanted.count <= bytes.count else { return false }
            return (0...bytes.count - wanted.count).contains { bytes[$0...].starts(with: wanted) }
        }
    }

    /// A decimal number in ten-thousandths, digits behind the fourth cut off; nil = none, or of more than fourteen digits
    /// before the point.
    static func number(_ text: String) -> Int64? {
        var value: Int64 = 0
        var places: Int?
        var digits = 0
        var bytes = Array(text.utf8)[...]
        let isNegative = bytes.first == 0x2d
        if isNegative { bytes = bytes.dropFirst() }
        for byte in bytes {
            if byte == 0x2e && places == nil && digits > 0 {
                places = 0
                continue
            }
            guard (0x30...0x39).contains(byte) else { return nil }
            digits += 1
            if let known = places {
                if known == fractionDigits { continue }
                places = known + 1
            } else {
                guard value < wholeMax / 10 else { return nil }
            }
            value = value * 10 + Int64(byte - 0x30)
        }
        guard digits > 0, places != 0 else { return nil }
        for _ in (places ?? 0)..<fractionDigits { value *= 10 }
        return isNegative ? -value : value
    }

    private static let fractionDigits = 4
    /// With its fraction behind it, this fits; and all that can be compared with is smaller.
    private static let wholeMax: Int64 = 100_000_000_000_000
}

extension Profile {
    mutating func unfold(_ act: Act) {
        switch act {
        case .bought: habits.boughtPart.unfold(packed, base)
        case .viewed, .addedToCart: habits.browsedPart.unfold(packed, base)
        }
    }

    /// Orders that stand and were placed after an instant, by time ascending.
    mutating func standing(after: Instant, into orders: inout [DatedAmount]) {
        orders.removeAll(keepingCapacity: true)
        if !habits.olderPart.isEmpty {
            for order in olderOrders where order.placed > after {
                orders.append(DatedAmount(milliseconds: order.placed.milliseconds, amount: order.revenue))
            }
        }
        orderPart.unfold(packed, base)
        for index in orderPart.values.indices
        where orderPart.values[index].state.stands && orderPart.values[index].placed > after {
            orders.append(
                DatedAmount(
                    milliseconds: orderPart.values[index].placed.milliseconds, amount: orderPart.values[index].revenue))
        }
        orders.sortByTime()
    }

    /// Sum and number of the intervals between the kept orders that stand; nil for fewer than two, or when all are of one
    /// instant.
    var intervals: (sum: Int64, count: Int64)? {
        var first: Instant?
        var last: Instant?
        var count: Int64 = -1
        for order in orders where order.state.stands {
            first = min(first ?? order.placed, order.placed)
            last = max(last ?? order.placed, order.placed)
            count += 1
        }
        guard let first, let last, count >= 2, last > first else { return nil }
        return (last - first, count)
    }

    /// The newest intervals between kept orders, the younger half of them against the elder.
    struct Pace {
        var elder: (sum: Int64, count: Int64)
        var younger: (sum: Int64, count: Int64)

        /// How many hundredths as often lately as before.
        func holds(_ how: Comparison, _ percent: Int64) -> Bool {
            if elder.sum == 0 && younger.sum == 0 { return false }
            return how.holds(elder.sum * 100 * younger.count, percent * younger.sum * elder.count)
        }
    }

    static let paceIntervalsMax = 16

    /// Nil for fewer than five orders.
    mutating func pace(_ scratch: inout [DatedAmount]) -> Pace? {
        scratch.removeAll(keepingCapacity: true)
        orderPart.unfold(packed, base)
        for index in orderPart.values.indices where orderPart.values[index].state.stands {
            scratch.append(DatedAmount(milliseconds: orderPart.values[index].placed.milliseconds, amount: 0))
        }
        scratch.sortByTime()
        let count = min(scratch.count - 1, Self.paceIntervalsMax)
        guard count >= 4 else { return nil }
        let newest = scratch.count - 1
        let (first, middle) = (newest - count, newest - count / 2)
        return Pace(
            elder: (scratch[middle].milliseconds - scratch[first].milliseconds, Int64(middle - first)),
            younger: (scratch[newest].milliseconds - scratch[middle].milliseconds, Int64(newest - middle)))
    }
}

extension [DatedAmount] {
    /// Keeps the order of those of one instant; they mostly stand in order already.
    fileprivate mutating func sortByTime() {
        for index in indices.dropFirst() {
            var place = index
            while place > 0 && self[place - 1].milliseconds > self[place].milliseconds {
                swapAt(place - 1, place)
                place -= 1
            }
        }
    }
}
