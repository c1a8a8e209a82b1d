import Model

/// Gathers what a step decides, already in the form in which it stands in the commit.
struct StepEffects: ~Copyable, Sendable {
    private var writer = PackWriter(reserving: 4096)
    private var counters = [Int64](repeating: 0, count: Counter.allCases.count)
    private var armed = Tally()
    private var members = Tally()
    private var reachableMembers = Tally()

    /// Bytes of effects so far, sums not included.
    var byteCount: Int { writer.count }

    mutating func add(_ effect: Effect) {
        var bytes = ByteWriter(reserving: 128)
        effect.write(to: &bytes)
        writer.append(bytes.bytes)
    }

    mutating func add(_ counter: Counter, _ amount: Int64) { counters[Int(counter.rawValue)] += amount }

    /// The same as ``Effect/actionOpened(_:)``: most effects are of this kind.
    mutating func add(_ opened: ActionOpened) {
        writer.byte(ActionOpened.effectKind)
        writer.string(opened.customer.text)
        writer.fixed(opened.action.value)
        writer.fixed(opened.rule.number)
        writer.byte(opened.channel.rawValue)
        writer.signed(opened.due.milliseconds)
        writer.signed(opened.decided.milliseconds &- opened.due.milliseconds)
        writer.signed(opened.deadline.milliseconds &- opened.due.milliseconds)
        writer.string(opened.subject)
    }

    /// The same, its texts as bytes.
    mutating func addOpened(
        customer: UnsafeRawBufferPointer, action: UInt128, rule: RuleID, channel: UInt8, due: Int64, decided: Int64,
        deadline: Int64, subject: UnsafeBufferPointer<UInt8>
    ) {
        writer.byte(ActionOpened.effectKind)
        writer.varint(UInt64(customer.count))
        unsafe writer.append(customer)
        writer.fixed(action)
        writer.fixed(rule.number)
        writer.byte(channel)
        writer.signed(due)
        writer.signed(decided &- due)
        writer.signed(deadline &- due)
        writer.varint(UInt64(subject.count))
        unsafe writer.append(UnsafeRawBufferPointer(subject))
    }

    mutating func addArmed(_ rule: RuleID, _ amount: Int64) { armed.add(rule, amount) }

    mutating func addMember(_ delta: SumDelta) {
        if delta.counter == .members { members.add(delta.rule, delta.amount) }
        if delta.counter == .reachableMembers { reachableMembers.add(delta.rule, delta.amount) }
    }

    /// Members of the segment with this number, whom a message can reach or not.
    mutating func addMember(_ segment: UInt16, isReachable: Bool, _ amount: Int64) {
        members.add(SumDelta.key(ofSegment: segment), amount)
        if isReachable { addReachable(segment, amount) }
    }

    mutating func addReachable(_ segment: UInt16, _ amount: Int64) {
        reachableMembers.add(SumDelta.key(ofSegment: segment), amount)
    }

    /// The effects, the sums last; ready for the next step.
    mutating func take() -> [UInt8] {
        var deltas: [SumDelta] = []
        for counter in Counter.allCases where counters[Int(counter.rawValue)] != 0 {
            deltas.append(SumDelta(counter, amount: counters[Int(counter.rawValue)]))
            counters[Int(counter.rawValue)] = 0
        }
        armed.take(as: .timersArmed, into: &deltas)
        members.take(as: .members, into: &deltas)
        reachableMembers.take(as: .reachableMembers, into: &deltas)
        if !deltas.isEmpty { add(.sums(deltas)) }
        defer { writer.removeAll(keepingAtMost: 1 << 16) }
        return writer.bytes
    }
}

/// Amounts by rule or segment, in the order in which they came up.
private struct Tally: Sendable {
    private var entries: [(key: RuleID, amount: Int64)] = []
    /// The place of each by open addressing over its key, plus one.
    private var places = [UInt32](repeating: 0, count: 64)

    mutating func add(_ key: RuleID, _ amount: Int64) {
        var place = Int(truncatingIfNeeded: key.number) & (places.count - 1)
        while places[place] != 0 {
            let index = Int(places[place]) - 1
            if entries[index].key.number == key.number {
                entries[index].amount += amount
                return
            }
            place = (place + 1) & (places.count - 1)
        }
        entries.append((key, amount))
        places[place] = UInt32(entries.count)
        if 2 * entries.count >= places.count { spread() }
    }

    private mutating func spread() {
        let size = 2 * places.count
        places = [UInt32](repeating: 0, count: size)
        for (index, entry) in entries.enumerated() {
            var place = Int(truncatingIfNeeded: entry.key.number) & (size - 1)
            while places[place] != 0 { place = (place + 1) & (size - 1) }
            places[place] = UInt32(index + 1)
        }
    }

    /// Empties it into deltas by key ascending, those that come to nothing left out.
    mutating func take(as counter: Counter, into deltas: inout [SumDelta]) {
        if entries.isEmpty { return }
        for (key, amount) in entries.sorted(by: { $0.key < $1.key }) where amount != 0 {
            deltas.append(SumDelta(counter, rule: key, amount: amount))
        }
        entries.removeAll(keepingCapacity: true)
        for place in places.indices { places[place] = 0 }
    }
}
