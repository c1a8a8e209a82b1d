internal import Model

/// Decimal numbers as written, without a binary fraction in between.
package enum MoneyParser {
    package enum Failure: Error, Equatable {
        case notANumber
        /// Its magnitude is beyond the bound that was given.
        case tooLarge
    }

    /// `text` times ten to the power of `digits`, rounded half to even; any number of decimals is read exactly.
    ///
    /// - Parameters:
    ///   - text: `-12.345`, `1e3`, `+7`; digits on at least one side of the point.
    ///   - magnitudeMax: the result's greatest magnitude; at most 10^17.
    package static func scaled(_ text: some StringProtocol, digits: Int, magnitudeMax: Int64) throws(Failure) -> Int64 {
        var parts = Decimal()
        guard parts.read(text.utf8) else { throw .notANumber }
        return try parts.scaled(by: digits, magnitudeMax: magnitudeMax)
    }

    private struct Decimal {
        var negative = false
        /// Significant digits, most significant first, without leading zeros.
        var figures: [UInt8] = []
        /// The value is 0.figures times ten to this power.
        var pointAt = 0

        mutating func read(_ text: some Collection<UInt8>) -> Bool {
            var rest = text[...]
            if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
                negative = sign == UInt8(ascii: "-")
                rest = rest.dropFirst()
            }
            var any = false
            var behindPoint = false
            while let byte = rest.first {
                if byte == UInt8(ascii: "."), !behindPoint {
                    behindPoint = true
                } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                    any = true
                    take(byte - UInt8(ascii: "0"), behindPoint: behindPoint)
                } else {
                    break
                }
                rest = rest.dropFirst()
            }
            guard any else { return false }
            guard let mark = rest.first else { return true }
            guard mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") else { return false }
            return readExponent(rest.dropFirst())
        }

        private mutating func take(_ figure: UInt8, behindPoint: Bool) {
            if figures.isEmpty, figure == 0 {
                if behindPoint { pointAt -= 1 }
            } else {
                figures.append(figure)
                if !behindPoint { pointAt += 1 }
            }
        }

        private mutating func readExponent(_ text: some Collection<UInt8>) -> Bool {
            var rest = text[...]
            var sign = 1
            if let byte = rest.first, byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") {
                sign = byte == UInt8(ascii: "-") ? -1 : 1
                rest = rest.dropFirst()
            }
            guard !rest.isEmpty else { return false }
            var exponent = 0
            for byte in rest {
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return false }
                // Beyond this every result is zero or too large anyway.
                exponent = min(exponent * 10 + Int(byte - UInt8(ascii: "0")), 1_000_000)
            }
            pointAt += sign * exponent
            return true
        }

        func scaled(by digits: Int, magnitudeMax: Int64) throws(Failure) -> Int64 {
            let whole = pointAt + digits
            guard !figures.isEmpty, whole >= 0 else { return 0 }
            guard whole <= 18 else { throw .tooLarge }
            var value: Int64 = 0
            for place in 0..<whole { value = value * 10 + (place < figures.count ? Int64(figures[place]) : 0) }
            if whole < figures.count {
                let first = figures[whole]
                let more = figures[(whole + 1)...].contains { $0 != 0 }
                if first > 5 || (first == 5 && (more || value % 2 == 1)) { value += 1 }
            }
            guard value <= magnitudeMax else { throw .tooLarge }
            return negative ? -value : value
        }
    }
}
