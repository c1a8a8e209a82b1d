import Model
import Testing

@testable import Engine

extension CustomerTable {
    fileprivate func add(hash: UInt64, packed bytes: [UInt8]) -> UInt32 {
        var writer = PackWriter()
        writer.append(bytes)
        return add(hash: hash, packed: writer)
    }

    fileprivate func store(_ slot: UInt32, _ bytes: [UInt8]) {
        var writer = PackWriter()
        writer.append(bytes)
        store(slot, writer)
    }
}

extension Slab {
    fileprivate func store(_ bytes: [UInt8], replacing old: Piece) -> Piece {
        var writer = PackWriter()
        writer.append(bytes)
        return store(writer, replacing: old)
    }
}

@Suite("A shard's tables against plain ones")
struct TableTests {
    @Test("the calendar yields what a sorted list yields", arguments: 0..<20 as Range<UInt64>)
    func calendar(seed: UInt64) {
        var dice = Dice(seed: seed)
        var calendar = WakeUpCalendar()
        var current: [UInt32: Int64] = [:]
        var now = Story.start.milliseconds
        for _ in 0..<60 {
            for _ in 0..<dice.below(12) {
                let slot = UInt32(dice.below(40))
                let due =
                    now + dice.below(dice.pick([1, Story.hour, 50 * Story.days, 4000 * Story.days])) - dice.pick([0, 5000])
                if current[slot] == due { continue }
                current[slot] = due
                calendar.insert(WakeUpCalendar.Entry(due: due, slot: slot))
            }
            now += dice.below(dice.pick([Story.hour, 30 * Story.days, 800 * Story.days]))
            if dice.chance(10) {
                calendar.removeAll()
                for (slot, due) in current { calendar.insert(WakeUpCalendar.Entry(due: due, slot: slot)) }
            }
            let due = current.filter { $0.value <= now }.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
            func next() -> WakeUpCalendar.Entry? { calendar.next(through: now) { current[$0.slot] == $0.due } }
            for (slot, time) in due {
                let entry = next()
                #expect(entry == WakeUpCalendar.Entry(due: time, slot: slot))
                if dice.chance(20), let entry {
                    calendar.insert(entry)
                    let again = next()
                    #expect(again == entry, "put back")
                }
                current[slot] = nil
            }
            let rest = next()
            #expect(rest == nil)
            #expect(calendar.count >= current.count)
        }
    }

    @Test("what is retired comes latest first, the rest earliest first, as in sorted lists", arguments: 0..<20 as Range<UInt64>)
    func retired(seed: UInt64) {
        var dice = Dice(seed: seed)
        var calendar = WakeUpCalendar()
        var current: [UInt32: Int64] = [:]
        var now = Story.start.milliseconds
        func insert(_ slot: UInt32, _ due: Int64) {
            guard current[slot] != due else { return }
            current[slot] = due
            calendar.insert(WakeUpCalendar.Entry(due: due, slot: slot))
        }
        for _ in 0..<60 {
            for _ in 0..<dice.below(40) {
                let span = dice.pick([1, Milliseconds.minute, Story.hour, 50 * Story.days, 4000 * Story.days])
                insert(UInt32(dice.below(200)), now + dice.below(span) - dice.pick([0, 5000, Story.hour, 3 * Story.days]))
            }
            now += dice.below(dice.pick([Milliseconds.second, 2 * Story.hour, 60 * Story.days]))
            let late = now - Milliseconds.minute
            calendar.retire(through: late) { current[$0.slot] == $0.due }
            if dice.chance(10) {
                calendar.removeAll()
                for (slot, due) in current { calendar.insert(WakeUpCalendar.Entry(due: due, slot: slot)) }
            }
            let onTime = current.filter { $0.value > late && $0.value <= now }.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
            for (slot, due) in onTime {
                let entry = calendar.next(through: now) { current[$0.slot] == $0.due }
                #expect(entry == WakeUpCalendar.Entry(due: due, slot: slot))
                current[slot] = nil
            }
            let none = calendar.next(through: now) { current[$0.slot] == $0.due }
            #expect(none == nil)
            let retired = current.filter { $0.value <= late }.sorted { (-$0.value, $0.key) < (-$1.value, $1.key) }
            for (slot, due) in retired.prefix(dice.below(30)) {
                let entry = calendar.nextLate { current[$0.slot] == $0.due }
                #expect(entry == WakeUpCalendar.Entry(due: due, slot: slot))
                current[slot] = nil
            }
        }
    }

    @Test("customers keep their bytes through growth, replacement and reuse of memory")
    func customers() {
        var dice = Dice(seed: 3)
        let table = CustomerTable()
        var plain: [(key: [UInt8], packed: [UInt8])] = []
        var bytes: [UInt8] = []
        for round in 0..<4000 {
            let size = dice.pick([0, 1, 90, 470, 520, 4000, 4090, 9000, dice.below(700)])
            let rest = [UInt8](repeating: UInt8(round & 0xff), count: size)
            if plain.isEmpty || dice.chance(30) {
                let key = Array("u:\(round)".utf8)
                let packed = [UInt8(key.count)] + key + rest
                #expect(table.slot(hash: Hashing.hash64(key), key: key, in: 0..<key.count) == nil)
                let slot = table.add(hash: Hashing.hash64(key), packed: packed)
                #expect(slot == UInt32(plain.count))
                plain.append((key, packed))
            } else {
                let slot = dice.below(plain.count)
                let key = plain[slot].key
                plain[slot].packed = [UInt8(key.count)] + key + rest
                #expect(table.slot(hash: Hashing.hash64(key), key: key, in: 0..<key.count) == UInt32(slot))
                table.store(UInt32(slot), plain[slot].packed)
            }
        }
        for (slot, one) in plain.enumerated() {
            table.load(UInt32(slot), into: &bytes)
            #expect(bytes == one.packed)
        }
    }

    @Test("pieces of every size stand apart")
    func slab() {
        let slab = Slab()
        let sizes = [1, 15, 16, 17, 511, 512, 513, 640, 641, 4095, 4096, 4097, 8192, 8193, Limits.profileBytesMax]
        let places = sizes.map { slab.store([UInt8](repeating: UInt8($0 & 0x7f), count: $0), replacing: .none) }
        var bytes: [UInt8] = []
        for (place, size) in zip(places, sizes) {
            slab.load(place.place, count: size, into: &bytes)
            #expect(bytes == [UInt8](repeating: UInt8(size & 0x7f), count: size))
        }
        let kept = slab.store([1], replacing: places[3])
        #expect(kept == places[3], "a little too large is good enough")
        let again = slab.store([1], replacing: places[5])
        let other = slab.store([2, 2], replacing: .none)
        let reused = slab.store([UInt8](repeating: 3, count: 510), replacing: .none)
        #expect(again != places[5] && other != again && reused == places[5], "what was freed is used again")
        let moved = slab.move(reused, count: 500)
        slab.load(moved.place, count: 500, into: &bytes)
        #expect(bytes == [UInt8](repeating: 3, count: 500))
    }

    @Test("message ids are known for half of the bound at least, through a snapshot too")
    func window() throws {
        var window = MessageWindow()
        let half = UInt128(Limits.messageWindowCount / 2)
        func id(_ number: UInt128) -> UInt128 { Hashing.hash128("\(number)") }
        for number in 0..<half where !window.insert(id(number), arrived: Story.start) { Issue.record("id \(number) is new") }
        for number in stride(from: 0, to: half, by: 1000) {
            if window.insert(id(number), arrived: Story.start) { Issue.record("id \(number) is known") }
        }
        let next = window.insert(id(half), arrived: Story.start)
        let last = window.insert(id(half - 1), arrived: Story.start)
        #expect(next && !last, "the next generation, and the one before it")
        let mark = window.mark
        var read = MessageWindow()
        read.began = window.began
        func take(_ chunks: [[UInt8]]) throws {
            for chunk in chunks {
                var reader = ByteReader(chunk, in: 3..<chunk.count)
                switch SnapshotCapture.Kind(rawValue: chunk[2]) {
                case .youngerIDs: try read.readYounger(&reader, isAddition: false)
                case .moreYoungerIDs: try read.readYounger(&reader, isAddition: true)
                case .olderIDs: try read.readOlder(&reader)
                default: Issue.record("chunk \(chunk[2])")
                }
            }
        }
        try take(window.chunks(since: nil))
        #expect(read == window)
        #expect(window.chunks(since: mark).isEmpty)
        _ = window.insert(id(half + 1), arrived: Story.start)
        try take(window.chunks(since: mark))
        #expect(read == window, "only what came behind the mark")
        let later = Story.start + Limits.messageWindowMilliseconds + 1
        let hourOld = read.insert(id(half), arrived: later)
        let twoOld = read.insert(id(0), arrived: later)
        #expect(!hourOld && twoOld)
    }

    @Test("ids that Unicode calls equal and whose bytes differ are two products, before and after a snapshot")
    func equalTexts() throws {
        var table = ProductTable()
        var forms: [String] = []
        for number in 0..<300 { forms += ["caf\u{e9}\(number)", "cafe\u{301}\(number)"] }
        let indices = forms.map { table.index(of: Product(id: $0)) }
        #expect(Set(indices).count == forms.count)
        #expect(forms.map { table.index(of: Product(id: $0)) } == indices)
    }

    @Test("products keep their indices; what an event says of one replaces what was known")
    func products() throws {
        var table = ProductTable()
        var plain: [Product] = []
        var dice = Dice(seed: 5)
        let rules = CompiledRules(
            Story.rules([
                Rule(
                    name: "r",
                    mechanic: .regularConsumption(
                        ConsumptionPeriods(defaultMilliseconds: 100, perProduct: [ProductPeriod(product: "3", milliseconds: 7)]),
                        aheadMilliseconds: 10),
                    goods: Goods(categories: ["food"]), action: .record)
            ]))
        for _ in 0..<500 {
            let new = Product(
                id: "\(dice.below(30))", name: dice.pick(["", "n", "m"]), category: dice.pick(["", "food", "other"]))
            let place = table.index(of: new)
            let index = try #require(place)
            if Int(index) == plain.count {
                plain.append(new)
            } else {
                if !new.name.isEmpty { plain[Int(index)].name = new.name }
                if !new.category.isEmpty { plain[Int(index)].category = new.category }
            }
            let known = plain[Int(index)]
            #expect(table[index] == known && table.products == plain)
            let delay: Int64? = known.id == "3" ? 0 : known.category == "food" ? 90 : nil
            let found = table.reminderDelay(index, consumptionRule: 0, rules: rules)
            #expect(found == delay)
        }
        var writer = ByteWriter()
        for (index, product) in plain.enumerated().reversed() {
            writer.varint(UInt64(index))
            writer.product(product)
        }
        var reader = ByteReader(writer.bytes)
        var read = ProductTable()
        read.extend(to: plain.count)
        while !reader.isAtEnd { try read.restore(&reader) }
        #expect(read.isComplete)
        let index = read.index(of: plain[4])
        #expect(read.products == plain && index == 4)
    }
}
