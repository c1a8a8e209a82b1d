import Model
import Ports
import SimulatedPorts
import Testing

@Suite struct SimulatedFaultsTests {
    let clock = ManualClock()
    let log = LogName.commits(ShardID(3))

    @Test func `scripted faults hit the next appends, in order`() async throws {
        let store = SimulatedLogStore(clock: clock)
        store.script(.lostAmbiguous, on: log)
        store.script(.writtenAmbiguous, on: log)
        store.script(.leaderGap(appends: 3), on: log)
        var codes: [LogError.Code?] = []
        for payload in 1...6 {
            do {
                _ = try await store.append(to: log, [UInt8(payload)])
                codes.append(nil)
            } catch { codes.append(error.code) }
        }
        #expect(codes == [.ambiguous, .ambiguous, .unavailable, .unavailable, .ambiguous, nil])
        #expect(store.contents(of: log).map(\.payload) == [[2], [6]])
    }

    @Test func `a held completion comes when it is let go`() async throws {
        let store = SimulatedLogStore(clock: clock)
        store.script(.held, on: log)
        let (order, answered) = AsyncStream<UInt64>.makeStream()
        for _ in 0..<3 {
            store.append(to: log, [], expecting: nil, id: nil) {
                if case .success(let sequence) = $0 { answered.yield(sequence) }
            }
        }
        store.deliverHeld()
        var found: [UInt64] = []
        for await sequence in order {
            found.append(sequence)
            if found.count == 3 { break }
        }
        #expect(found == [2, 3, 1])
    }

    @Test func `the same seed gives the same faults, and every kind occurs`() async throws {
        func run(seed: UInt64) async -> [LogError.Code?] {
            let store = SimulatedLogStore(clock: clock, faults: .some(seed: seed))
            var codes: [LogError.Code?] = []
            for _ in 0..<2000 {
                do {
                    _ = try await store.append(to: log, [1])
                    codes.append(nil)
                } catch { codes.append(error.code) }
            }
            return codes
        }
        let codes = await run(seed: 7)
        #expect(await run(seed: 7) == codes)
        #expect(await run(seed: 8) != codes)
        #expect(codes.contains(.ambiguous) && codes.contains(.unavailable) && codes.contains(nil))
    }

    @Test func `an id is forgotten after two minutes`() async throws {
        let store = SimulatedLogStore(clock: clock)
        #expect(try await store.append(to: log, [1], id: "a") == 1)
        clock.advance(milliseconds: 2 * Milliseconds.minute - 1)
        #expect(try await store.append(to: log, [1], id: "a") == 1)
        clock.advance(milliseconds: 1)
        #expect(try await store.append(to: log, [1], id: "a") == 2)
    }

    @Test func `a reader finds a lost record as a gap`() async throws {
        let store = SimulatedLogStore(clock: clock)
        for _ in 0..<5 { _ = try await store.append(to: log, [1]) }
        store.lose(3, of: log)
        let reader = try await store.read(log, from: 1)
        #expect(try await reader.next(max: 10).map(\.sequence) == [1, 2])
        let error = await #expect(throws: LogError.self) { try await reader.next(max: 10) }
        #expect(error?.code == .gap(expected: 3, found: 4))
    }

    @Test func `a reader of an unavailable log waits until it is back`() async throws {
        let store = SimulatedLogStore(clock: clock)
        let reader = try await store.read(log, from: 1)
        store.setAvailable(log, false)
        let refusal = await #expect(throws: LogError.self) { try await store.append(to: log, [1]) }
        #expect(refusal?.code == .unavailable)
        async let next = reader.next(max: 1)
        store.setAvailable(log, true)
        _ = try await store.append(to: log, [2])
        #expect(try await next.map(\.payload) == [[2]])
    }

    @Test func `a torn snapshot is never seen, a damaged one is passed over with a report`() async throws {
        let store = SimulatedSnapshotStore()
        let subject = SnapshotSubject.shard(ShardID(0))
        func head(_ commit: UInt64) -> SnapshotHead {
            SnapshotHead(commit: commit, commitHash: 1, format: 1, time: .distantPast, needs: [])
        }
        try await store.put([[1]], head(1), of: subject)
        store.tearNext()
        await #expect(throws: LogError.self) { try await store.put([[2]], head(2), of: subject) }
        #expect(try await store.load(subject, atMost: .max) { Issue.record("\($0)") }?.head.commit == 1)
        store.damageNext()
        try await store.put([[3]], head(3), of: subject)
        let (reports, reported) = AsyncStream<String>.makeStream()
        #expect(try await store.load(subject, atMost: .max) { reported.yield($0) }?.head.commit == 1)
        reported.finish()
        var count = 0
        for await report in reports {
            #expect(report.contains("commit 3"))
            count += 1
        }
        #expect(count == 1)
    }
}
