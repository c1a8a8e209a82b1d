internal import Model

/// One run of a role on a simulated machine. A role that crashes and comes back is another host of the same name.
///
/// Its jobs and what reaches it from outside carry it: a frozen host's wait until it thaws, a dead one's never happen. What
/// a dead host holds is never freed, as nothing of it may run again, not even its cleaning up.
// Sendable: used on the simulation's thread alone.
package final class Host: @unchecked Sendable {
    package enum State: Equatable, Sendable { case running, frozen, dead }

    package let name: String
    /// Counts the hosts of a simulation; the instance of its role.
    package let number: UInt64
    package internal(set) var state = State.running
    /// How much its clock is ahead of the true time, milliseconds.
    package var clockAheadMilliseconds: Int64 = 0
    /// How late what it asks to read comes, milliseconds: a slow consumer.
    package var readDelayMilliseconds: Int64 = 0
    /// Nobody hears its messages and it hears none; its logs it reaches.
    package var isCutOff = false
    /// It crashes after so many more of its jobs; nil = it does not.
    package var crashAfterJobs: Int?
    package var onCrash: (() -> Void)?
    var heldEvents: [Scheduler.Event] = []

    init(name: String, number: UInt64) {
        self.name = name
        self.number = number
    }

    package var instance: String { String(number, radix: 16) }
}
