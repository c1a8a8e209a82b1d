import Model

/// When each customer of a shard wants to be woken next: contiguous chunks of one hour and of 1,024 hours, and a heap of
/// what is nearest.
///
/// Yields entries by due time, then by slot: an order that does not depend on when they were put in, so that a shard
/// restored from a snapshot wakes its customers in the same order (I4). An entry whose customer has changed its mind stays
/// until it comes up and is then passed over; `rebuild` bounds how many such there are.
struct WakeUpCalendar: Sendable {
    struct Entry: Equatable, Sendable {
        var due: Int64
        var slot: UInt32

        static func precedes(_ left: Entry, _ right: Entry) -> Bool {
            left.due != right.due ? left.due < right.due : left.slot < right.slot
        }
    }

    private static let hoursPerBlock: Int64 = 1024
    /// Blocks from 1970 to 2116, further than any wake-up: the latest event and the longest period lie before.
    private static let blocks: Int64 = 1250

    /// Entries before `horizon`, as a binary heap.
    private var heap: [Entry] = []
    /// Start of the first hour whose entries are not in the heap.
    private var horizonHour: Int64 = 0
    /// The hours of the block that the horizon is in.
    private var hours = [[Entry]](repeating: [], count: Int(hoursPerBlock))
    private var hoursCount = 0
    /// The later blocks, from 1970 on.
    private var later = [[Entry]](repeating: [], count: Int(blocks))
    /// Entries in all, those out of date included.
    private(set) var count = 0

    init() {}

    mutating func insert(_ entry: Entry) {
        count += 1
        let hour = floorDivide(entry.due, Milliseconds.hour)
        if hour < horizonHour {
            push(entry)
        } else {
            let block = hour / Self.hoursPerBlock
            precondition(block < Self.blocks, "wake-up beyond the calendar")
            if block == horizonHour / Self.hoursPerBlock {
                hours[Int(hour % Self.hoursPerBlock)].append(entry)
                hoursCount += 1
            } else {
                later[Int(block)].append(entry)
            }
        }
    }

    /// Takes out the first entry due by `limit` for which `isCurrent` holds; nil when there is none.
    mutating func next(through limit: Int64, isCurrent: (Entry) -> Bool) -> Entry? {
        while true {
            if let first = heap.first {
                guard first.due <= limit else { return nil }
                pop()
                count -= 1
                if isCurrent(first) { return first }
            } else if horizonHour * Milliseconds.hour <= limit {
                advance(limit, isCurrent)
            } else {
                return nil
            }
        }
    }

    /// Empties it, to be filled anew with what is current.
    mutating func removeAll() {
        heap.removeAll()
        for hour in hours.indices where !hours[hour].isEmpty { hours[hour] = [] }
        for block in later.indices where !later[block].isEmpty { later[block] = [] }
        hoursCount = 0
        count = 0
    }

    /// Moves the horizon on by an hour that holds something, or to the next block.
    private mutating func advance(_ limit: Int64, _ isCurrent: (Entry) -> Bool) {
        if hoursCount == 0 {
            horizonHour = (horizonHour / Self.hoursPerBlock + 1) * Self.hoursPerBlock
            // Beyond the limit nothing is looked for: an hour there goes into the heap when it comes.
            distribute()
            return
        }
        let index = Int(horizonHour % Self.hoursPerBlock)
        horizonHour += 1
        if !hours[index].isEmpty {
            let entries = hours[index]
            hours[index] = []
            hoursCount -= entries.count
            for entry in entries {
                if isCurrent(entry) { push(entry) } else { count -= 1 }
            }
        }
        if horizonHour % Self.hoursPerBlock == 0 { distribute() }
    }

    /// The horizon has entered a block: its entries get their hours.
    private mutating func distribute() {
        let block = Int(horizonHour / Self.hoursPerBlock)
        guard block < later.count, !later[block].isEmpty else { return }
        let entries = later[block]
        later[block] = []
        for entry in entries { hours[Int(floorDivide(entry.due, Milliseconds.hour) % Self.hoursPerBlock)].append(entry) }
        hoursCount += entries.count
    }

    private mutating func push(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard Entry.precedes(heap[child], heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func pop() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count && Entry.precedes(heap[child + 1], heap[child]) { child += 1 }
            guard Entry.precedes(heap[child], heap[parent]) else { return }
            heap.swapAt(child, parent)
            parent = child
        }
    }
}
