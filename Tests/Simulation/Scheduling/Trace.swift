internal import Model

/// What happened, in order, as one number: equal for two runs that did the same. Printed as it happens when wanted.
package struct Trace {
    package private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    package var isPrinting = false

    mutating func add(_ what: StaticString, _ number: UInt64, at time: Instant, host: Host, _ detail: String) {
        mix(UInt64(bitPattern: time.milliseconds))
        mix(host.number << 32 | number & 0xffff_ffff)
        mix(UInt64(what.utf8CodeUnitCount))
        if !detail.isEmpty { mix(Hashing.hash64(detail)) }
        if isPrinting && (!detail.isEmpty || what.utf8CodeUnitCount > 3) {
            print("\(time.milliseconds % 10_000_000) \(host.name)#\(host.number) \(what) \(number) \(detail)")
        }
    }

    private mutating func mix(_ value: UInt64) {
        hash = (hash ^ value) &* 0x9e37_79b9_7f4a_7c15
        hash ^= hash >> 29
    }
}
