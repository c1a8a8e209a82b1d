/// Wake-ups by due time, then by slot, as a binary heap: the earliest first, or the latest.
struct EntryHeap: Sendable {
    private var entries: [WakeUpCalendar.Entry] = []
    private let isLatestFirst: Bool

    init(latestFirst: Bool) { isLatestFirst = latestFirst }

    var first: WakeUpCalendar.Entry? { entries.first }
    var isEmpty: Bool { entries.isEmpty }

    mutating func removeAll() { entries.removeAll() }

    mutating func push(_ entry: WakeUpCalendar.Entry) {
        entries.append(entry)
        rise(from: entries.count - 1)
    }

    /// Many at once, in a time that is linear in all that it holds then.
    mutating func push(contentsOf more: [WakeUpCalendar.Entry]) {
        guard more.count > entries.count / 8 else {
            for entry in more { push(entry) }
            return
        }
        entries += more
        for parent in (0..<entries.count / 2).reversed() { sink(from: parent) }
    }

    /// Must not be called when it is empty.
    mutating func pop() -> WakeUpCalendar.Entry {
        entries.swapAt(0, entries.count - 1)
        let first = entries.removeLast()
        sink(from: 0)
        return first
    }

    private func precedes(_ left: WakeUpCalendar.Entry, _ right: WakeUpCalendar.Entry) -> Bool {
        if left.due == right.due { return left.slot < right.slot }
        return isLatestFirst ? left.due > right.due : left.due < right.due
    }

    private mutating func rise(from place: Int) {
        var child = place
        while child > 0 {
            let parent = (child - 1) / 2
            guard precedes(entries[child], entries[parent]) else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func sink(from place: Int) {
        var parent = place
        while true {
            var child = 2 * parent + 1
            guard child < entries.count else { return }
            if child + 1 < entries.count && precedes(entries[child + 1], entries[child]) { child += 1 }
            guard precedes(entries[child], entries[parent]) else { return }
            entries.swapAt(child, parent)
            parent = child
        }
    }
}
