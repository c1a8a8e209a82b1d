/// Decimal numbers in subjects, read from bytes: no string is made of them.
enum Decimal {
    /// The number behind the last `.` or `-`; nil when there is none.
    static func trailing(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64? {
        var start = bytes.endIndex
        while start > 0, unsafe isDigit(bytes[start - 1]) { start -= 1 }
        return unsafe number(bytes, start..<bytes.endIndex)
    }

    /// Nil when the range is empty, holds anything but digits, or the number does not fit.
    static func number(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> UInt64? {
        guard !range.isEmpty, range.count <= 20 else { return nil }
        var value: UInt64 = 0
        for index in range {
            let byte = unsafe bytes[index]
            guard isDigit(byte) else { return nil }
            let (tens, overflowTens) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowSum) = tens.addingReportingOverflow(UInt64(byte - 0x30))
            guard !overflowTens, !overflowSum else { return nil }
            value = sum
        }
        return value
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}
