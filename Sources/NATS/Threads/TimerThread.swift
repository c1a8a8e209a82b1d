/// Runs closures at their times on one thread, which all connections share. They must return at once.
///
/// Timers are few (one per connection, one per reader): a sorted array is enough.
final class TimerThread: Sendable {
    static let shared = TimerThread()

    private struct Entry {
        let time: MonotonicTime
        let action: @Sendable () -> Void
    }

    /// Latest first.
    private let entries = Monitor<[Entry]>([])

    private init() {
        OwnThread.start("nats-timers") { [entries] in
            while true {
                let action: @Sendable () -> Void = entries.wait { entries in
                    guard let next = entries.last else { return .more(until: nil) }
                    guard next.time <= .now() else { return .more(until: next.time) }
                    entries.removeLast()
                    return .done(next.action)
                }
                action()
            }
        }
    }

    func at(_ time: MonotonicTime, _ action: @escaping @Sendable () -> Void) {
        entries.withLock { entries in
            var low = 0
            var high = entries.count
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].time > time { low = middle + 1 } else { high = middle }
            }
            entries.insert(Entry(time: time, action: action), at: low)
        }
        entries.wake()
    }
}
