import Model
import Testing

/// Damage is found, and nothing that stands in a log makes a reader trap.
@Suite struct DamageTests {
    private struct Form {
        let name: String
        let bytes: [UInt8]
        /// Reads everything that can be read.
        let read: ([UInt8]) throws -> Void
        /// Makes the bytes' checksum right again.
        let seal: (inout [UInt8]) -> Void
    }

    private static func form(_ name: String, seed: UInt64) -> Form {
        var random = RandomValues(seed: seed)
        func seal64(_ bytes: inout [UInt8]) {
            var writer = ByteWriter()
            writer.bytes = Array(bytes.dropLast(8))
            writer.fixed(Hashing.hash64(writer.bytes))
            bytes = writer.bytes
        }
        switch name {
        case "batch":
            let events = (0..<RandomValues.bodyKinds).map { random.event($0) }
            return Form(
                name: name, bytes: InputMessage.events(events).encoded(), read: { _ = try InputMessage.decoded($0) }, seal: seal64
            )
        case "clock":
            return Form(
                name: name, bytes: InputMessage.clock(random.instant()).encoded(), read: { _ = try InputMessage.decoded($0) },
                seal: seal64)
        case "messages":
            let bodies = (0..<8).map { _ in random.message().encoded() }
            return Form(
                name: name, bytes: InputMessage.messages(source: random.shard(), first: 7, bodies: bodies).encoded(),
                read: { bytes in
                    guard case .messages(_, _, let bodies) = try InputMessage.decoded(bytes) else { return }
                    for body in bodies { _ = try ShardMessage.decoded(body) }
                }, seal: seal64)
        case "rules":
            return Form(
                name: name, bytes: random.ruleSet().encoded(), read: { _ = try RuleSet.decoded($0, revision: 1) }, seal: seal64)
        default:
            var commit = random.commit()
            var writer = ByteWriter()
            for kind in 0..<RandomValues.effectKinds { random.effect(kind).write(to: &writer) }
            commit.steps = [random.step(), random.step()]
            commit.steps[1].effects = writer.bytes
            return Form(
                name: name, bytes: commit.encoded().bytes,
                read: { for step in try Commit.decoded($0).commit.steps { _ = try step.decodedEffects() } },
                seal: { bytes in
                    var writer = ByteWriter()
                    writer.bytes = Array(bytes.dropLast(16))
                    writer.fixed(Hashing.hash128(writer.bytes))
                    bytes = writer.bytes
                })
        }
    }

    static let names = ["batch", "clock", "commit", "messages", "rules"]

    @Test(arguments: names)
    func `every truncation is found`(name: String) throws {
        let form = Self.form(name, seed: 11)
        try form.read(form.bytes)
        for count in 0..<form.bytes.count {
            #expect(throws: FormatError.self, "\(count) bytes") { try form.read(Array(form.bytes[..<count])) }
        }
    }

    @Test(arguments: names)
    func `every change of one byte is found`(name: String) throws {
        let form = Self.form(name, seed: 12)
        var bytes = form.bytes
        for index in bytes.indices {
            for change in [UInt8(0x01), 0x10, 0x80, 0xff] + [UInt8(truncatingIfNeeded: index | 2)] {
                bytes[index] ^= change
                #expect(throws: FormatError.self, "byte \(index) changed by \(change)") { try form.read(bytes) }
                bytes[index] ^= change
            }
        }
        #expect(bytes == form.bytes)
    }

    @Test(arguments: names)
    func `a tail is found, even one with a checksum`(name: String) throws {
        let form = Self.form(name, seed: 13)
        #expect(throws: FormatError.self) { try form.read(form.bytes + [0]) }
        var sealed = form.bytes + [0]
        form.seal(&sealed)
        // The sealing replaces the last bytes by a checksum over all before: the old checksum's first byte is now a tail.
        #expect(throws: FormatError.self) { try form.read(sealed) }
    }

    @Test(arguments: names)
    func `damage with a right checksum is read or refused, never a trap`(name: String) throws {
        var refused = 0
        var read = 0
        for seed in 0..<40 {
            let form = Self.form(name, seed: UInt64(100 + seed))
            var random = RandomValues(seed: UInt64(seed))
            for _ in 0..<150 {
                var bytes = form.bytes
                for _ in 0...random.below(3) {
                    bytes[random.below(bytes.count)] =
                        random.chance(50) ? random.pick([0, 0x7f, 0x80, 0xff]) : UInt8(random.below(256))
                }
                form.seal(&bytes)
                do {
                    try form.read(bytes)
                    read += 1
                } catch is FormatError {
                    refused += 1
                }
            }
        }
        #expect(refused > 0 && read > 0)
    }

    @Test func `unknown versions are named`() {
        for name in Self.names {
            var bytes = Self.form(name, seed: 14).bytes
            bytes[1] = 9
            let form = Self.form(name, seed: 14)
            form.seal(&bytes)
            let error = #expect(throws: FormatError.self) { try form.read(bytes) }
            #expect(error?.description.contains("of version 9, this program knows version") == true, "\(error as Any)")
            #expect(error?.description.contains("a newer program wrote it, upgrade this one") == true)
        }
    }

    @Test func `bytes of nothing but noise are refused`() {
        for seed in 0..<500 {
            var random = RandomValues(seed: UInt64(seed))
            let bytes = (0..<random.below(200)).map { _ in UInt8(random.below(256)) }
            for name in Self.names {
                let form = Self.form(name, seed: 1)
                #expect(throws: FormatError.self) { try form.read(bytes) }
            }
        }
    }

    @Test func `a rule that names a segment which is not there is refused`() throws {
        var rules = RuleSet(
            segments: [Segment(name: "s", condition: .all([]))],
            rules: [Rule(name: "r", mechanic: .reviewRequest(afterMilliseconds: 1), inAny: [0], action: .record)])
        #expect(try RuleSet.decoded(rules.encoded(), revision: 0) == rules)
        rules.rules[0].inAny = [1]
        let bytes = rules.encoded()
        #expect(throws: FormatError.self) { try RuleSet.decoded(bytes, revision: 0) }
    }

    @Test func `nesting deeper than allowed is refused`() {
        var condition = Condition.orderCount(.atLeast, 1)
        for _ in 1..<Condition.depthMax { condition = .not(condition) }
        let allowed = RuleSet(segments: [Segment(name: "s", condition: condition)])
        #expect(throws: Never.self) { try RuleSet.decoded(allowed.encoded(), revision: 0) }
        let deeper = RuleSet(segments: [Segment(name: "s", condition: .not(condition))])
        #expect(throws: FormatError.self) { try RuleSet.decoded(deeper.encoded(), revision: 0) }
    }
}
