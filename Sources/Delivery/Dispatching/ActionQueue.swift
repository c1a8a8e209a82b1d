internal import HeapModule
internal import Model

/// Actions that wait, earliest first. Entries are not taken out when an action is closed or taken otherwise: the one who
/// pops checks whether the action still waits.
struct ActionQueue: Sendable {
    private struct Item: Comparable {
        var time: Instant
        var action: ActionID

        static func < (left: Item, right: Item) -> Bool { (left.time, left.action) < (right.time, right.action) }
    }

    private var heap = Heap<Item>()

    /// Entries, those of gone actions too.
    var count: Int { heap.count }
    /// Time of the first entry.
    var first: (time: Instant, action: ActionID)? { heap.min.map { ($0.time, $0.action) } }

    mutating func push(_ action: ActionID, at time: Instant) { heap.insert(Item(time: time, action: action)) }

    mutating func pop() -> ActionID? { heap.popMin()?.action }
}
