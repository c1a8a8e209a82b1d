/// A moment: milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// The only form of time that decides anything: integers give the same answer on every machine.
@usableFromInline
package struct Instant: Codable, Comparable, Hashable, Sendable {
    @usableFromInline package var milliseconds: Int64

    @inlinable
    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Before every event; "not yet", "none".
    @inlinable package static var distantPast: Instant { Instant(milliseconds: 0) }
    /// After every event.
    @inlinable package static var distantFuture: Instant { Instant(milliseconds: 1 << 47) }

    @inlinable
    package static func < (left: Instant, right: Instant) -> Bool { left.milliseconds < right.milliseconds }
    /// Later by so many milliseconds.
    @inlinable
    package static func + (instant: Instant, milliseconds: Int64) -> Instant {
        Instant(milliseconds: instant.milliseconds + milliseconds)
    }
    /// Milliseconds from the second to the first.
    @inlinable
    package static func - (left: Instant, right: Instant) -> Int64 { left.milliseconds - right.milliseconds }
}

/// Lengths of time in milliseconds.
package enum Milliseconds {
    package static let second: Int64 = 1000
    package static let minute: Int64 = 60 * second
    package static let hour: Int64 = 60 * minute
    package static let day: Int64 = 24 * hour
}
