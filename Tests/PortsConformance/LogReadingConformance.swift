internal import Model
internal import Ports

/// What every ``LogReader`` promises; part of ``LogConformance``.
enum LogReadingConformance {
    static let cases: [ConformanceCase<LogFixture>] = [
        ConformanceCase("I6 records are read in order and without gaps", order),
        ConformanceCase("a reader may start in the middle", middle),
        ConformanceCase("a reader waits for what comes", waits),
        ConformanceCase("a reader may start behind the last record", behind),
        ConformanceCase("next yields at most what was asked for", atMost),
        ConformanceCase("closing a reader ends a waiting next", closing),
        ConformanceCase("cancelling the task ends a waiting next, and the reader can go on", cancelling),
        ConformanceCase("several readers of one log do not disturb each other", several),
        ConformanceCase("bytes come back as they were, none and 900 KB included", bytes),
        ConformanceCase("times are the log's and do not go back", times),
        ConformanceCase("reading what is trimmed away says where the log begins", trimmed),
        ConformanceCase("trimming deletes what is below, and only that", trimming),
        ConformanceCase("trimming everything keeps the count", trimmingAll),
        ConformanceCase("a reader keeps up with a writer", following),
    ]

    static func payloads(_ count: Int) -> [[UInt8]] { (0..<count).map { Array("record \($0)".utf8) } }

    static func order(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        _ = await fixture.pipeline(payloads(500), to: log)
        let records = try await fixture.read(500, of: log)
        try expectEqual(records.map(\.sequence), (1...500).map { UInt64($0) }, "sequences")
        try expectEqual(records.map(\.payload), payloads(500), "payloads")
    }

    static func middle(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        _ = await fixture.pipeline(payloads(100), to: log)
        let records = try await fixture.read(40, of: log, from: 61)
        try expectEqual(records.map(\.sequence), (61...100).map { UInt64($0) }, "sequences")
        try expectEqual(records.map(\.payload), Array(payloads(100)[60...]), "payloads")
    }

    static func waits(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        let reader = try await fixture.store.read(log, from: 1)
        defer { reader.close() }
        async let first = reader.next(max: 10)
        _ = try await fixture.store.append(to: log, [1])
        try expectEqual(try await first.map(\.payload), [[1]], "first")
        async let second = reader.next(max: 10)
        _ = try await fixture.store.append(to: log, [2])
        try expectEqual(try await second.map(\.sequence), [2], "second")
    }

    static func behind(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        _ = await fixture.pipeline(payloads(3), to: log)
        let reader = try await fixture.store.read(log, from: 4)
        defer { reader.close() }
        async let next = reader.next(max: 10)
        _ = try await fixture.store.append(to: log, [4])
        try expectEqual(try await next, try await fixture.read(1, of: log, from: 4), "record 4")
    }

    static func atMost(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        _ = await fixture.pipeline(payloads(50), to: log)
        let reader = try await fixture.store.read(log, from: 1)
        defer { reader.close() }
        var sequences: [UInt64] = []
        while sequences.count < 50 {
            let records = try await reader.next(max: 7)
            try expect((1...7).contains(records.count), "\(records.count) records")
            sequences += records.map(\.sequence)
        }
        try expectEqual(sequences, (1...50).map { UInt64($0) }, "sequences")
    }

    static func closing(_ fixture: LogFixture) async throws {
        let reader = try await fixture.store.read(fixture.log(0), from: 1)
        let task = Task { try await reader.next(max: 1) }
        await Task.yield()
        reader.close()
        reader.close()
        switch await task.result {
        case .success(let records): try expect(false, "a closed reader yielded \(records.count) records")
        case .failure(let error): try expect(error is CancellationError, "a closed reader threw \(error)")
        }
        do {
            _ = try await reader.next(max: 1)
            try expect(false, "a reader closed before went on")
        } catch is CancellationError {}
    }

    static func cancelling(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        let reader = try await fixture.store.read(log, from: 1)
        defer { reader.close() }
        let task = Task { try await reader.next(max: 1) }
        await Task.yield()
        task.cancel()
        switch await task.result {
        case .success(let records): try expect(false, "a cancelled task got \(records.count) records")
        case .failure(let error): try expect(error is CancellationError, "a cancelled task got \(error)")
        }
        _ = try await fixture.store.append(to: log, [1])
        try expectEqual(try await reader.next(max: 1).map(\.sequence), [1], "after the cancellation")
    }

    static func several(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        let all = payloads(200)
        try await withThrowingTaskGroup(of: [[UInt8]].self) { group in
            for start in 0..<6 {
                group.addTask { try await fixture.read(200 - start, of: log, from: UInt64(1 + start)).map(\.payload) }
            }
            _ = await fixture.pipeline(all, to: log)
            for try await found in group { try expectEqual(found, Array(all[(200 - found.count)...]), "payloads") }
        }
    }

    static func bytes(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        let payloads: [[UInt8]] = [
            [], [0], (0...255).map { UInt8($0) }, (0..<900_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 8)) },
            [13, 10], [],
        ]
        for payload in payloads { _ = try await fixture.store.append(to: log, payload) }
        let found = try await fixture.read(payloads.count, of: log).map(\.payload)
        for (index, payload) in payloads.enumerated() {
            try expect(found[index] == payload, "payload \(index) of \(payload.count) bytes came back with \(found[index].count)")
            let single = try await fixture.store.record(UInt64(index + 1), of: log)
            try expect(single?.payload == payload, "payload \(index) differs when read alone")
        }
        try expectEqual(try await fixture.store.last(of: log)?.payload, [], "last payload")
    }

    static func times(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        _ = await fixture.pipeline(payloads(50), to: log)
        let records = try await fixture.read(50, of: log)
        for (earlier, later) in zip(records, records.dropFirst()) {
            try expect(earlier.time <= later.time, "record \(later.sequence) is earlier than the one before")
        }
        try expect(records[0].time > Limits.timeMin, "the time \(records[0].time.milliseconds) is before 1980")
        try expectEqual(try await fixture.store.record(50, of: log), records[49], "record read alone")
        try expectEqual(try await fixture.store.last(of: log), records[49], "last record")
    }

    static func trimmed(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        _ = await fixture.pipeline(payloads(20), to: log)
        try await fixture.store.trim(log, below: 11)
        let code = try await fixture.failure("reading from 1") { try await fixture.read(1, of: log, from: 1) }
        try expectEqual(code, .trimmed(first: 11), "code")
        try expectEqual(try await fixture.store.record(10, of: log), nil, "a trimmed record")
        try expectEqual(try await fixture.read(10, of: log, from: 11).map(\.sequence), (11...20).map { UInt64($0) }, "rest")
    }

    static func trimming(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        _ = await fixture.pipeline(payloads(20), to: log)
        let before = try await fixture.held(log)
        try await fixture.store.trim(log, below: 1)
        try expectEqual(try await fixture.held(log), before, "trimming nothing")
        try await fixture.store.trim(log, below: 6)
        try await fixture.store.trim(log, below: 3)
        let state = try await fixture.store.state(of: log)
        try expectEqual([state.first, state.last], [6, 20], "first, last")
        try expect(state.bytes < before.bytes, "\(state.bytes) bytes after trimming, \(before.bytes) before")
        try expectEqual(try await fixture.store.append(to: log, [1], expecting: 20), 21, "append after trimming")
    }

    static func trimmingAll(_ fixture: LogFixture) async throws {
        let log = fixture.log(0)
        _ = await fixture.pipeline(payloads(5), to: log)
        try await fixture.store.trim(log, below: 6)
        let state = try await fixture.store.state(of: log)
        try expectEqual([state.first, state.last, state.bytes], [6, 5, 0], "first, last, bytes")
        try expectEqual(try await fixture.store.last(of: log), nil, "last of a log trimmed empty")
        try expectEqual(try await fixture.store.append(to: log, [1], expecting: 5), 6, "append after trimming everything")
    }

    static func following(_ fixture: LogFixture) async throws {
        let log = fixture.log(2)
        async let read = fixture.read(300, of: log)
        for index in 0..<30 {
            let results = await fixture.pipeline(
                (0..<10).map { [UInt8(index), UInt8($0)] }, to: log, expectingFrom: UInt64(index * 10))
            try expectEqual(results.compactMap(\.sequence).count, 10, "written in round \(index)")
        }
        let records = try await read
        try expectEqual(records.map(\.sequence), (1...300).map { UInt64($0) }, "sequences")
        try expectEqual(records.map(\.payload), (0..<300).map { [UInt8($0 / 10), UInt8($0 % 10)] }, "payloads")
    }
}
