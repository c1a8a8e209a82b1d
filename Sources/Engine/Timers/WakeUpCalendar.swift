import Model

/// When each customer of a shard wants to be woken next: contiguous chunks of one hour and of 1,024 hours, a heap of what
/// is nearest, and a heap of what is late.
///
///     later block --horizon--> hour --horizon--> nearest --due--> taken, earliest first
///     any of the three --`retire`--> late --as the pace allows--> taken, latest first
///
/// Both orders are by due time, then by slot, and what is late depends on the instants given to `retire` alone: nothing
/// depends on when an entry was put in, so that a shard restored from a snapshot wakes its customers in the same order
/// (I4). An entry whose customer has changed its mind stays until it comes up and is then passed over; `rebuild` bounds how
/// many such there are.
package struct WakeUpCalendar: Sendable {
    package struct Entry: Equatable, Sendable {
        package var due: Int64
        package var slot: UInt32

        package init(due: Int64, slot: UInt32) {
            self.due = due
            self.slot = slot
        }
    }

    /// An entry that waits in its block: milliseconds from the block's beginning, of which there are less than 2^32.
    private struct Waiting: Sendable {
        var offset: UInt32
        var slot: UInt32

        init(_ entry: Entry, block: Int64) {
            offset = UInt32(entry.due - block * blockMilliseconds)
            slot = entry.slot
        }

        func entry(block: Int64) -> Entry { Entry(due: block * blockMilliseconds + Int64(offset), slot: slot) }
    }

    private static let hoursPerBlock: Int64 = 1024
    private static let blockMilliseconds = hoursPerBlock * Milliseconds.hour
    /// Blocks from 1970 to 2133, further than any wake-up: the latest event, the longest period and postponement lie before.
    private static let blocks: Int64 = 1400

    /// Entries before the horizon that are not late.
    private var nearest = EntryHeap(latestFirst: false)
    /// Entries due by ``lateThrough``.
    private var late = EntryHeap(latestFirst: true)
    /// Milliseconds; never goes back.
    private var lateThrough = Int64.min
    /// Start of the first hour whose entries are not in the heap.
    private var horizonHour: Int64 = 0
    /// The hours of the block that the horizon is in.
    private var hours = [[Waiting]](repeating: [], count: Int(hoursPerBlock))
    private var hoursCount = 0
    /// The later blocks, from 1970 on.
    private var later = [[Waiting]](repeating: [], count: Int(blocks))
    /// Entries in all, those out of date included.
    private(set) var count = 0

    package init() {}

    package mutating func insert(_ entry: Entry) {
        count += 1
        let hour = floorDivide(entry.due, Milliseconds.hour)
        if entry.due <= lateThrough {
            late.push(entry)
        } else if hour < horizonHour {
            nearest.push(entry)
        } else {
            let block = hour / Self.hoursPerBlock
            precondition(block < Self.blocks, "wake-up beyond the calendar")
            if block == horizonHour / Self.hoursPerBlock {
                hours[Int(hour % Self.hoursPerBlock)].append(Waiting(entry, block: block))
                hoursCount += 1
            } else {
                later[Int(block)].append(Waiting(entry, block: block))
            }
        }
    }

    /// Takes out the earliest entry due by `limit`, and not late, for which `isCurrent` holds; nil when there is none.
    /// `prepare` is told of many at once before they are asked for.
    package mutating func next(
        through limit: Int64, prepare: ([Entry]) -> Void = { _ in }, isCurrent: (Entry) -> Bool
    ) -> Entry? {
        while true {
            if let first = nearest.first {
                guard first.due <= limit else { return nil }
                _ = nearest.pop()
                count -= 1
                if isCurrent(first) { return first }
            } else if horizonHour * Milliseconds.hour <= limit {
                advance(limit, prepare, isCurrent)
            } else {
                return nil
            }
        }
    }

    /// Takes out the latest of those that are late and for which `isCurrent` holds; nil when there is none.
    mutating func nextLate(isCurrent: (Entry) -> Bool) -> Entry? {
        while !late.isEmpty {
            let entry = late.pop()
            count -= 1
            if isCurrent(entry) { return entry }
        }
        return nil
    }

    /// From now on whatever is due by `limit` is late.
    mutating func retire(through limit: Int64, isCurrent: (Entry) -> Bool) {
        guard limit > lateThrough else { return }
        lateThrough = limit
        var retired: [Entry] = []
        func takeNearest() {
            while let first = nearest.first, first.due <= limit { retired.append(nearest.pop()) }
        }
        takeNearest()
        while horizonHour * Milliseconds.hour <= limit {
            if hoursCount > 0, (horizonHour + 1) * Milliseconds.hour - 1 <= limit {
                // The whole hour, without bringing it into an order first.
                retired += takeHour()
                moveHorizon()
            } else {
                advance(limit, { _ in }, isCurrent)
                takeNearest()
            }
        }
        let current = retired.filter(isCurrent)
        count -= retired.count - current.count
        late.push(contentsOf: current)
    }

    /// Empties it, to be filled anew with what is current.
    mutating func removeAll() {
        nearest.removeAll()
        late.removeAll()
        for hour in hours.indices where !hours[hour].isEmpty { hours[hour] = [] }
        for block in later.indices where !later[block].isEmpty { later[block] = [] }
        hoursCount = 0
        count = 0
    }

    /// Moves the horizon on by an hour that holds something, or to the next block.
    private mutating func advance(_ limit: Int64, _ prepare: ([Entry]) -> Void, _ isCurrent: (Entry) -> Bool) {
        if hoursCount == 0 {
            horizonHour = (horizonHour / Self.hoursPerBlock + 1) * Self.hoursPerBlock
            // Beyond the limit nothing is looked for: an hour there goes into the heap when it comes.
            distribute()
            return
        }
        let entries = takeHour()
        moveHorizon()
        prepare(entries)
        for entry in entries {
            if isCurrent(entry) { nearest.push(entry) } else { count -= 1 }
        }
    }

    /// The entries of the horizon's hour.
    private mutating func takeHour() -> [Entry] {
        let index = Int(horizonHour % Self.hoursPerBlock)
        let waiting = hours[index]
        hours[index] = []
        hoursCount -= waiting.count
        return waiting.map { $0.entry(block: horizonHour / Self.hoursPerBlock) }
    }

    private mutating func moveHorizon() {
        horizonHour += 1
        if horizonHour % Self.hoursPerBlock == 0 { distribute() }
    }

    /// The horizon has entered a block: its entries get their hours.
    private mutating func distribute() {
        let block = Int(horizonHour / Self.hoursPerBlock)
        guard block < later.count, !later[block].isEmpty else { return }
        let entries = later[block]
        later[block] = []
        for entry in entries { hours[Int(Int64(entry.offset) / Milliseconds.hour)].append(entry) }
        hoursCount += entries.count
    }
}
