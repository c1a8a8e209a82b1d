internal import Model
internal import Ports

/// What every ``LogStore`` promises.
package enum LogConformance {
    package static var cases: [ConformanceCase<LogFixture>] { writing + LogReadingConformance.cases + ApplyingConformance.cases }

    static let writing: [ConformanceCase<LogFixture>] = [
        ConformanceCase("an empty log has no last record and no bytes", emptyLog),
        ConformanceCase("sequences begin at 1 and have no gaps", sequences),
        ConformanceCase("I2 of many appends with one expected sequence exactly one is written", fence),
        ConformanceCase("I2 a refused append leaves nothing behind", refusal),
        ConformanceCase("I2 an append may expect an empty log", expectsEmpty),
        ConformanceCase("pipelined appends are decided in the order of the calls", pipelined),
        ConformanceCase("a pipeline behind a refused append is refused as a whole", pipelineBreaks),
        ConformanceCase("an append with a known id answers the first sequence", duplicate),
        ConformanceCase("a known id is recognised before the expectation is checked", duplicateBeforeExpectation),
        ConformanceCase("ids belong to one log", idsPerLog),
        ConformanceCase("I1 an ambiguous append that was written is found by reading back", ambiguous),
        ConformanceCase("I8 a full log refuses and loses nothing", full),
        ConformanceCase("I8 a record above the bound of a message is refused", tooLarge),
        ConformanceCase("logs do not mix", logsApart),
    ]

    static func emptyLog(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        try expectEqual(try await fixture.store.last(of: log), nil, "last of an empty log")
        try expectEqual(try await fixture.store.record(1, of: log), nil, "record 1 of an empty log")
        let state = try await fixture.store.state(of: log)
        try expectEqual([state.first, state.last, state.bytes], [1, 0, 0], "first, last, bytes")
    }

    static func sequences(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        for index in 1...20 {
            try expectEqual(try await fixture.store.append(to: log, [UInt8(index)]), UInt64(index), "sequence")
        }
        let state = try await fixture.store.state(of: log)
        try expectEqual([state.first, state.last], [1, 20], "first, last")
        try expect(state.bytes >= 20, "the state counts \(state.bytes) bytes")
        try expectEqual(try await fixture.store.last(of: log)?.payload, [20], "last payload")
        try expectEqual(try await fixture.store.record(7, of: log)?.payload, [7], "payload of record 7")
        try expectEqual(try await fixture.store.record(21, of: log), nil, "record behind the last")
    }

    static func fence(_ fixture: LogFixture) async throws {
        let log = fixture.log(1)
        for round in 0..<8 {
            let results = await withTaskGroup(of: Result<UInt64, LogError>.self) { group in
                for writer in 0..<16 {
                    group.addTask {
                        await fixture.pipeline([[UInt8(round), UInt8(writer)]], to: log, expectingFrom: UInt64(round))[0]
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            try expectEqual(results.compactMap(\.sequence), [UInt64(round + 1)], "accepted in round \(round)")
            try expectEqual(results.filter { $0.code == .refused }.count, 15, "refused in round \(round)")
        }
        try expectEqual(try await fixture.store.state(of: log).last, 8, "last")
    }

    static func refusal(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        _ = try await fixture.store.append(to: log, [1], expecting: 0)
        _ = try await fixture.store.append(to: log, [2], expecting: 1)
        let before = try await fixture.held(log)
        for wrong: UInt64 in [0, 1, 3, 1_000_000] {
            let code = try await fixture.failure("an append expecting \(wrong)") {
                try await fixture.store.append(to: log, [9], expecting: wrong)
            }
            try expectEqual(code, .refused, "code for \(wrong)")
        }
        try expectEqual(try await fixture.held(log), before, "state")
        try expectEqual(try await fixture.store.last(of: log)?.payload, [2], "last payload")
        try expectEqual(try await fixture.store.append(to: log, [3], expecting: 2), 3, "the right append after refusals")
    }

    static func expectsEmpty(_ fixture: LogFixture) async throws {
        let log = fixture.log(2)
        try expectEqual(try await fixture.store.append(to: log, [1], expecting: 0), 1, "first append")
        let code = try await fixture.failure("a second first append") {
            try await fixture.store.append(to: log, [2], expecting: 0)
        }
        try expectEqual(code, .refused, "code")
    }

    static func pipelined(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        let payloads = (0..<300).map { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        let results = await fixture.pipeline(payloads, to: log, expectingFrom: 0)
        try expectEqual(results.compactMap(\.sequence), (1...300).map { UInt64($0) }, "sequences")
        let records = try await fixture.read(300, of: log)
        try expectEqual(records.map(\.payload), payloads, "payloads")

        let unfenced = await fixture.pipeline(payloads, to: fixture.log(1))
        try expectEqual(unfenced.compactMap(\.sequence), (1...300).map { UInt64($0) }, "sequences without expectation")
    }

    static func pipelineBreaks(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        _ = try await fixture.store.append(to: log, [1])
        let results = await fixture.pipeline((0..<50).map { [UInt8($0)] }, to: log, expectingFrom: 0)
        // The first is refused; the second expects 1, which is the last: a pipeline must expect what its own appends make.
        try expectEqual(results[0].code, .refused, "first of the pipeline")
        try expect(results[1].sequence != nil, "the second expects the log's last and is taken")

        let other = fixture.log(1)
        _ = await fixture.pipeline([[1], [2], [3]], to: other, expectingFrom: 0)
        let late = await fixture.pipeline((0..<50).map { [UInt8($0)] }, to: other, expectingFrom: 7)
        try expectEqual(late.filter { $0.code == .refused }.count, 50, "refused")
        try expectEqual(try await fixture.store.state(of: other).last, 3, "last")
    }

    static func duplicate(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        try expectEqual(try await fixture.store.append(to: log, [1], id: "a"), 1, "first")
        try expectEqual(try await fixture.store.append(to: log, [2], id: "b"), 2, "second")
        try expectEqual(try await fixture.store.append(to: log, [1], id: "a"), 1, "repeat of the first")
        try expectEqual(try await fixture.store.state(of: log).last, 2, "last")
        let ids = (0..<40).map { "c\($0 / 2)" }
        let results = await fixture.pipeline((0..<40).map { [UInt8($0)] }, to: log, ids: ids)
        try expectEqual(results.compactMap(\.sequence), (0..<40).map { UInt64(3 + $0 / 2) }, "pipelined repeats")
    }

    static func duplicateBeforeExpectation(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        try expectEqual(try await fixture.store.append(to: log, [1], expecting: 0, id: "a"), 1, "first")
        try expectEqual(try await fixture.store.append(to: log, [2], expecting: 1, id: "b"), 2, "second")
        try expectEqual(try await fixture.store.append(to: log, [1], expecting: 0, id: "a"), 1, "repeat of the first")
    }

    static func idsPerLog(_ fixture: LogFixture) async throws {
        try expectEqual(try await fixture.store.append(to: fixture.log(0), [1], id: "a"), 1, "one log")
        try expectEqual(try await fixture.store.append(to: fixture.log(1), [2], id: "a"), 1, "another log")
        try expectEqual(try await fixture.store.last(of: fixture.log(1))?.payload, [2], "payload in the other log")
    }

    static func ambiguous(_ fixture: LogFixture) async throws {
        guard let loseAcknowledgement = fixture.loseAcknowledgement else { return }
        let log = fixture.log(3)
        _ = try await fixture.store.append(to: log, [1], expecting: 0)
        try await loseAcknowledgement(log)
        let code = try await fixture.failure("an append whose answer is lost") {
            try await fixture.store.append(to: log, [2], expecting: 1)
        }
        try expectEqual(code, .ambiguous, "code")
        try expectEqual(try await fixture.store.record(2, of: log)?.payload, [2], "read back by sequence")
        try expectEqual(try await fixture.store.last(of: log)?.payload, [2], "read back as the last")
        try expectEqual(try await fixture.store.append(to: log, [3], expecting: 2), 3, "append after reading back")
    }

    static func full(_ fixture: LogFixture) async throws {
        guard let (log, bytesMax) = fixture.bounded else { return }
        let payload = [UInt8](repeating: 7, count: 10_000)
        var written: UInt64 = 0
        var refusal: LogError?
        while refusal == nil {
            do { written = try await fixture.store.append(to: log, payload) } catch { refusal = error }
            try expect(written * 10_000 <= bytesMax, "\(written) records of 10,000 bytes are more than \(bytesMax) bytes")
        }
        try expectEqual(refusal?.code, .full, "code")
        let state = try await fixture.store.state(of: log)
        try expectEqual([state.first, state.last], [1, written], "nothing old was dropped")
        try expectEqual(state.bytesMax, bytesMax, "bound")
        try await fixture.store.trim(log, below: written)
        try expectEqual(try await fixture.store.append(to: log, payload), written + 1, "append after trimming")
    }

    static func tooLarge(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        let code = try await fixture.failure("a record of 2 MB") {
            try await fixture.store.append(to: log, [UInt8](repeating: 1, count: 2 << 20))
        }
        try expectEqual(code, .tooLarge, "code")
        try expectEqual(try await fixture.store.append(to: log, [1], expecting: 0), 1, "append afterwards")
    }

    static func logsApart(_ fixture: LogFixture) async throws {
        let logs: [LogName] = [fixture.log(0), fixture.log(1), .input(.init(0)), .input(.init(1)), .coordinator, .configuration]
        for (index, log) in logs.enumerated() {
            try expectEqual(try await fixture.store.append(to: log, [UInt8(index)], expecting: 0), 1, "\(log)")
        }
        for (index, log) in logs.enumerated() {
            try expectEqual(try await fixture.store.last(of: log)?.payload, [UInt8(index)], "\(log)")
        }
    }
}
