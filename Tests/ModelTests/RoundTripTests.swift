import Model
import Testing

/// What is written is what is read: the value again, and from the value the same bytes again.
@Suite struct RoundTripTests {
    @Test(arguments: 0..<RandomValues.bodyKinds)
    func `events of every kind, each in a batch of its own`(kind: Int) throws {
        for seed in 0..<300 {
            var random = RandomValues(seed: UInt64(seed))
            let event = random.event(kind)
            let bytes = InputMessage.events([event]).encoded()
            let decoded = try InputMessage.decoded(bytes)
            #expect(decoded == .events([event]), "seed \(seed)")
            #expect(decoded.encoded() == bytes, "seed \(seed)")
        }
    }

    @Test func `batches of mixed events, read in whole and one at a time`() throws {
        for seed in 0..<100 {
            var random = RandomValues(seed: UInt64(seed))
            let events = random.list(upTo: 20) { $0.event($0.below(RandomValues.bodyKinds)) }
            let bytes = InputMessage.events(events).encoded()
            #expect(try InputMessage.decoded(bytes) == .events(events), "seed \(seed)")
            guard case .events(var reader) = try InputContent.read(bytes) else {
                Issue.record("seed \(seed): no batch")
                continue
            }
            #expect(reader.count == events.count)
            var index = 0
            while let header = try reader.next() {
                #expect(header.time == events[index].time && header.messageID == events[index].messageID)
                #expect(Array(bytes[header.key]) == Array(events[index].customer.text.utf8))
                #expect(try Event.Body.read(header.kind, from: bytes, in: header.body) == events[index].body)
                index += 1
            }
            #expect(index == events.count)
        }
    }

    @Test func `messages between shards, alone and in an input message`() throws {
        for seed in 0..<200 {
            var random = RandomValues(seed: UInt64(seed))
            let messages = random.list(upTo: 6) { $0.message() }
            let bodies = messages.map { $0.encoded() }
            #expect(try bodies.map { try ShardMessage.decoded($0) } == messages, "seed \(seed)")
            let input = InputMessage.messages(source: random.shard(), first: random.unsigned(), bodies: bodies)
            #expect(try InputMessage.decoded(input.encoded()) == input, "seed \(seed)")
        }
    }

    @Test func `an event passed on is the same event of another customer`() throws {
        for seed in 0..<200 {
            var random = RandomValues(seed: UInt64(seed))
            var event = random.event(random.below(RandomValues.bodyKinds))
            let bytes = InputMessage.events([event]).encoded()
            guard case .events(var reader) = try InputContent.read(bytes), let header = try reader.next() else {
                Issue.record("seed \(seed): no event")
                continue
            }
            event.customer = random.key()
            let arrived = random.instant()
            let passed = ShardMessage.passingOn(header, of: bytes, to: event.customer, arrived: arrived)
            #expect(try ShardMessage.decoded(passed) == .event(event, arrived: arrived), "seed \(seed)")
        }
    }

    @Test func `an event alone, relative to any base`() throws {
        for seed in 0..<300 {
            var random = RandomValues(seed: UInt64(seed))
            let event = random.event(random.below(RandomValues.bodyKinds))
            let base = random.instant()
            var writer = ByteWriter()
            event.write(to: &writer, base: base)
            var reader = ByteReader(writer.bytes)
            #expect(try Event.read(&reader, base: base, bytes: writer.bytes) == event, "seed \(seed)")
            #expect(reader.isAtEnd)
        }
    }

    @Test func `a batch takes as many bytes as it says`() {
        var random = RandomValues(seed: 1)
        var batch = EventBatchBuilder(base: .distantPast)
        for _ in 0..<50 { batch.append(random.event(random.below(RandomValues.bodyKinds))) }
        let counted = batch.byteCount
        #expect(batch.count == 50)
        let bytes = batch.finish()
        #expect(bytes.count > counted && bytes.count <= counted + 32)
    }

    @Test func `clock records`() throws {
        for seed in 0..<300 {
            var random = RandomValues(seed: UInt64(seed))
            let message = InputMessage.clock(random.instant())
            #expect(try InputMessage.decoded(message.encoded()) == message, "seed \(seed)")
        }
    }

    @Test(arguments: 0..<RandomValues.effectKinds)
    func `effects of every kind`(kind: Int) throws {
        for seed in 0..<300 {
            var random = RandomValues(seed: UInt64(seed))
            let effect = random.effect(kind)
            var writer = ByteWriter()
            effect.write(to: &writer)
            var reader = ByteReader(writer.bytes)
            #expect(try Effect.read(&reader) == effect, "seed \(seed)")
            #expect(reader.isAtEnd)
        }
    }

    @Test func `I3 commits of every kind, with their hash`() throws {
        for seed in 0..<300 {
            var random = RandomValues(seed: UInt64(seed))
            let commit = random.commit()
            let encoded = commit.encoded()
            let decoded = try Commit.decoded(encoded.bytes)
            #expect(decoded.commit == commit, "seed \(seed)")
            #expect(decoded.hash == encoded.hash)
            for step in decoded.commit.steps {
                var writer = ByteWriter()
                for effect in try step.decodedEffects() { effect.write(to: &writer) }
                #expect(writer.bytes == step.effects)
            }
        }
    }

    @Test func `rule sets; the revision is that of the record`() throws {
        for seed in 0..<300 {
            var random = RandomValues(seed: UInt64(seed))
            let rules = random.ruleSet()
            let bytes = rules.encoded()
            let decoded = try RuleSet.decoded(bytes, revision: rules.revision)
            #expect(decoded == rules, "seed \(seed)")
            #expect(decoded.encoded() == bytes)
            #expect(try RuleSet.decoded(bytes, revision: 7).revision == 7)
        }
    }

    @Test(arguments: 0..<RandomValues.testKinds)
    func `conditions of every kind`(kind: Int) throws {
        for seed in 0..<100 {
            var random = RandomValues(seed: UInt64(seed))
            let rules = RuleSet(segments: [Segment(name: "s", condition: random.test(kind))])
            #expect(try RuleSet.decoded(rules.encoded(), revision: 0) == rules, "seed \(seed)")
        }
    }

    @Test(arguments: 0..<RandomValues.mechanicKinds)
    func `mechanics of every kind`(kind: Int) throws {
        for seed in 0..<100 {
            var random = RandomValues(seed: UInt64(seed))
            let segment = Segment(name: "s", condition: .reachable(.email), number: 0)
            let rule = Rule(name: "r", mechanic: random.mechanic(kind, segments: 1), action: .record)
            let rules = RuleSet(segments: [segment], rules: [rule])
            #expect(try RuleSet.decoded(rules.encoded(), revision: 0) == rules, "seed \(seed)")
        }
    }

    @Test func `a rule about a segment that is not there is refused`() throws {
        let rule = Rule(name: "r", mechanic: .segmentEntered(1, afterMilliseconds: 0), action: .record)
        let rules = RuleSet(segments: [Segment(name: "s", condition: .reachable(.email))], rules: [rule])
        let error = #expect(throws: FormatError.self) { try RuleSet.decoded(rules.encoded(), revision: 0) }
        #expect(error?.description.contains("segment 1 of 1") == true)
    }

    @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, 1 << 32, UInt64.max - 1, UInt64.max])
    func `varints at the borders of their lengths`(value: UInt64) throws {
        var writer = ByteWriter()
        writer.varint(value)
        writer.signed(Int64(bitPattern: value))
        var reader = ByteReader(writer.bytes)
        #expect(try reader.varint() == value)
        #expect(try reader.signed() == Int64(bitPattern: value))
        try reader.finish()
    }

    @Test func `a varint of more than 64 bits is refused`() {
        for bytes in [[UInt8](repeating: 0xff, count: 11), [UInt8](repeating: 0xff, count: 9) + [0x02]] {
            #expect(throws: FormatError(.invalid("varint"), at: 0)) {
                var reader = ByteReader(bytes)
                _ = try reader.varint()
            }
        }
    }
}
