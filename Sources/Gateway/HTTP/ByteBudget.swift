internal import Synchronization

/// Bytes that all open requests may hold together. Any thread.
package final class ByteBudget: Sendable {
    package let limit: Int
    private let used = Mutex(0)

    package init(limit: Int) { self.limit = limit }

    package var inUse: Int { used.withLock { $0 } }

    /// False when it would go beyond the limit; then nothing is taken.
    package func take(_ bytes: Int) -> Bool {
        used.withLock { used in
            guard used + bytes <= limit else { return false }
            used += bytes
            return true
        }
    }

    package func give(_ bytes: Int) {
        used.withLock { used in
            precondition(used >= bytes, "more bytes given back than taken")
            used -= bytes
        }
    }
}
