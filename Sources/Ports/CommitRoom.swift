internal import Model

/// How far a shard's LOG may be filled by whom. Pure.
///
///                 open                         |  reserve: fences, releases, spacers, last words
///     0 ---------------------- opensAt -- closesAt ------------------------------------- bound
///
/// Steps are committed up to `closesAt`. So an owner that can commit no more stands at an acknowledged commit: its state can
/// be captured, it can release the shard, and another one can fence.
package struct CommitRoom: Equatable, Sendable {
    /// From so many bytes on no steps are committed; below the other they are again.
    package let closesAt: UInt64
    package let opensAt: UInt64

    /// - Parameter bound: bytes that the log takes; nil = it has no bound, and always room.
    package init(bound: UInt64?) {
        guard let bound else {
            closesAt = .max
            opensAt = .max
            return
        }
        let reserve = min(max(bound / 100 * (100 - Limits.commitFillPercentMax), Limits.commitReserveBytes), bound / 2)
        closesAt = bound - reserve
        opensAt = closesAt - closesAt / UInt64(Limits.snapshotLogFraction)
    }
}

/// What an owner knows of its LOG's room. Pure.
///
///     open --what was sent since the last look may have come to the limit--> asking
///     asking --a look shows less than that--> open
///     asking --a look shows as much--> closed
///     open --a look shows as much--> closed
///     closed --a look shows that a twelfth of it is free--> open
///
/// Without a look it is open: nothing is known of a bound. Between closing and opening lies a twelfth, so that what makes
/// room, two whole snapshots, is not done for every commit.
package struct CommitRoomWatch: Equatable, Sendable {
    package enum State: Equatable, Sendable { case open, asking, closed }

    package private(set) var state = State.open
    private var room = CommitRoom(bound: nil)
    private var bytes: UInt64 = 0

    package init() {}

    /// A commit of so many bytes is on its way.
    package mutating func sent(_ count: Int) {
        bytes += UInt64(count + Self.recordBytesMax)
        if state == .open && bytes >= room.closesAt { state = .asking }
    }

    /// What the log says of itself.
    package mutating func saw(_ log: LogState) {
        room = CommitRoom(bound: log.bytesMax)
        bytes = log.bytes
        state = bytes < (state == .closed ? room.opensAt : room.closesAt) ? .open : .closed
    }

    /// What a log adds to each record's bytes, at most.
    private static let recordBytesMax = 256
}
