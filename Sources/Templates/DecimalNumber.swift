/// A decimal number held exactly: up to 18 digits, of which up to 18 after the point.
package struct DecimalNumber: Equatable, Sendable, CustomStringConvertible {
    /// The number without its point.
    let unscaled: Int64
    /// Digits after the point.
    let scale: Int

    static let digitsMax = 18

    package init(_ value: Int64) {
        unscaled = value
        scale = 0
    }

    init(unscaled: Int64, scale: Int) {
        self.unscaled = unscaled
        self.scale = scale
    }

    /// `-12.50`; nil for anything else, and for more than 18 digits.
    package init?(_ text: String) {
        var digits: Int64 = 0
        var count = 0
        var scale: Int?
        var negative = false
        for (index, byte) in text.utf8.enumerated() {
            switch byte {
            case 0x2d where index == 0: negative = true
            case 0x2e where scale == nil && count > 0: scale = 0
            case 0x30...0x39:
                guard count < Self.digitsMax else { return nil }
                digits = digits * 10 + Int64(byte - 0x30)
                count += 1
                if let known = scale { scale = known + 1 }
            default: return nil
            }
        }
        guard count > 0, scale != 0 else { return nil }
        unscaled = negative ? -digits : digits
        self.scale = scale ?? 0
    }

    var isZero: Bool { unscaled == 0 }

    package var description: String { formatted(decimals: scale, point: ".", thousands: "") }

    /// Below 0, 0 or above 0 as the first is less than, equal to or greater than the second.
    static func compare(_ left: DecimalNumber, _ right: DecimalNumber) -> Int {
        let scale = max(left.scale, right.scale)
        let a = left.widened(to: scale)
        let b = right.widened(to: scale)
        return a < b ? -1 : a > b ? 1 : 0
    }

    private func widened(to scale: Int) -> Int128 { Int128(unscaled) * Self.power(scale - self.scale) }

    private static func power(_ exponent: Int) -> Int128 {
        var result: Int128 = 1
        for _ in 0..<exponent { result *= 10 }
        return result
    }

    /// With so many digits (0 to 18) after the point, halves rounded away from zero.
    func formatted(decimals: Int, point: String, thousands: String) -> String {
        var magnitude = Int128(unscaled.magnitude)
        if decimals >= scale {
            magnitude *= Self.power(decimals - scale)
        } else {
            let divisor = Self.power(scale - decimals)
            magnitude = (magnitude + divisor / 2) / divisor
        }
        let unit = Self.power(decimals)
        var whole = String(magnitude / unit)
        if !thousands.isEmpty {
            var grouped = ""
            for (index, digit) in whole.enumerated() {
                if index > 0, (whole.count - index) % 3 == 0 { grouped += thousands }
                grouped.append(digit)
            }
            whole = grouped
        }
        let sign = unscaled < 0 && magnitude != 0 ? "-" : ""
        guard decimals > 0 else { return sign + whole }
        let fraction = String(magnitude % unit)
        return sign + whole + point + String(repeating: "0", count: decimals - fraction.count) + fraction
    }
}
