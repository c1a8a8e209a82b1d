/// A set of slots as a bitmap: an eighth of a byte for each slot of the shard. A value type.
struct SlotSet: Equatable, Sendable {
    private var words: [UInt64] = []
    private(set) var count = 0

    init() {}

    /// All slots below `count`.
    init(below count: Int) {
        words = [UInt64](repeating: .max, count: count / 64)
        if count % 64 != 0 { words.append((1 << UInt64(count % 64)) - 1) }
        self.count = count
    }

    var isEmpty: Bool { count == 0 }

    func contains(_ slot: UInt32) -> Bool {
        let word = Int(slot >> 6)
        return word < words.count && words[word] & (1 << UInt64(slot & 63)) != 0
    }

    mutating func insert(_ slot: UInt32) {
        let word = Int(slot >> 6)
        while words.count <= word { words.append(0) }
        let bit: UInt64 = 1 << UInt64(slot & 63)
        guard words[word] & bit == 0 else { return }
        words[word] |= bit
        count += 1
    }

    /// Whether it was in the set.
    mutating func remove(_ slot: UInt32) -> Bool {
        let word = Int(slot >> 6)
        let bit: UInt64 = 1 << UInt64(slot & 63)
        guard word < words.count, words[word] & bit != 0 else { return false }
        words[word] &= ~bit
        count -= 1
        return true
    }

    /// The first slot at or behind this one.
    func first(from slot: Int) -> UInt32? {
        var word = slot >> 6
        guard word < words.count else { return nil }
        var bits = words[word] & (UInt64.max << UInt64(slot & 63))
        while bits == 0 {
            word += 1
            guard word < words.count else { return nil }
            bits = words[word]
        }
        return UInt32(word << 6 + bits.trailingZeroBitCount)
    }

    mutating func formUnion(_ other: SlotSet) {
        while words.count < other.words.count { words.append(0) }
        for index in other.words.indices { words[index] |= other.words[index] }
        count = words.reduce(0) { $0 + $1.nonzeroBitCount }
    }
}
