import Model

/// Gathers what a step decides, already in the form in which it stands in the commit.
struct StepEffects: ~Copyable, Sendable {
    private var writer = PackWriter(reserving: 4096)
    private var counters = [Int64](repeating: 0, count: Counter.allCases.count)
    /// By rule, in the order in which they came up; the place of each by open addressing over its id, plus one.
    private var armed: [(rule: RuleID, amount: Int64)] = []
    private var armedPlaces = [UInt32](repeating: 0, count: 64)

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
        deadline: Int64,
        subject: UnsafeBufferPointer<UInt8>
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

    mutating func addArmed(_ rule: RuleID, _ amount: Int64) {
        var place = Int(rule.number) & (armedPlaces.count - 1)
        while armedPlaces[place] != 0 {
            let index = Int(armedPlaces[place]) - 1
            if armed[index].rule.number == rule.number {
                armed[index].amount += amount
                return
            }
            place = (place + 1) & (armedPlaces.count - 1)
        }
        armed.append((rule, amount))
        armedPlaces[place] = UInt32(armed.count)
        if 2 * armed.count >= armedPlaces.count { spreadArmed() }
    }

    private mutating func spreadArmed() {
        let size = 2 * armedPlaces.count
        armedPlaces = [UInt32](repeating: 0, count: size)
        for (index, entry) in armed.enumerated() {
            var place = Int(entry.rule.number) & (size - 1)
            while armedPlaces[place] != 0 { place = (place + 1) & (size - 1) }
            armedPlaces[place] = UInt32(index + 1)
        }
    }

    /// The effects, the sums last; ready for the next step.
    mutating func take() -> [UInt8] {
        var deltas: [SumDelta] = []
        for counter in Counter.allCases where counters[Int(counter.rawValue)] != 0 {
            deltas.append(SumDelta(counter, amount: counters[Int(counter.rawValue)]))
            counters[Int(counter.rawValue)] = 0
        }
        for (rule, amount) in armed.sorted(by: { $0.rule < $1.rule }) where amount != 0 {
            deltas.append(SumDelta(.timersArmed, rule: rule, amount: amount))
        }
        armed.removeAll(keepingCapacity: true)
        for place in armedPlaces.indices { armedPlaces[place] = 0 }
        if !deltas.isEmpty { add(.sums(deltas)) }
        defer { writer.removeAll(keepingAtMost: 1 << 16) }
        return writer.bytes
    }
}
