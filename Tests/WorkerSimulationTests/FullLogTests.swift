import Model
import Ports
import SimulatedPorts
import Testing
import Workload

@testable import Worker

/// I7 I8: a log at its bound comes free by itself, without a restart and without anybody's help, as soon as what it waited
/// for is back; and nothing is missing then.
@Suite("Full logs over simulated ports", .serialized, .timeLimit(.minutes(2)))
struct FullLogTests {
    let worker = WorkerID(name: "w0", instance: "1")

    private func installation(_ workload: ReferenceWorkload, bounds: [LogName: UInt64]) async throws -> SimulatedInstallation {
        let installation = try SimulatedInstallation(shards: 1, timeMode: .eventTime)
        for (log, bytesMax) in bounds { installation.logs.setBound(log, bytesMax: bytesMax) }
        try await installation.apply(ReferenceRules.ruleSet)
        try await installation.place(alive: [worker], owners: [0])
        return installation
    }

    /// Piece by piece, each when the one before is committed or has had ten seconds, so that there are many commits.
    private func feed(_ installation: SimulatedInstallation, _ workload: ReferenceWorkload) async throws {
        _ = try await installation.awaitCommit(0) { $0.kind == .fence }
        for start in stride(from: UInt64(0), to: workload.events, by: 30) {
            let before = try await installation.logs.state(of: .commits(ShardID(0))).last
            _ = try await installation.feed(workload, events: start..<start + 30, closing: start + 30 == workload.events)
            for _ in 0..<200 where try await installation.logs.state(of: .commits(ShardID(0))).last == before {
                try await installation.clock.sleep(until: installation.clock.now() + 50)
            }
        }
    }

    /// Lets simulated time pass until the shard's LOG has not grown for a minute; its last commit then.
    private func standstill(_ installation: SimulatedInstallation) async throws -> UInt64 {
        var last: UInt64 = 0
        while true {
            try await installation.clock.sleep(until: installation.clock.now() + Milliseconds.minute)
            let now = try await installation.logs.state(of: .commits(ShardID(0))).last
            if now == last && now > 1 { return now }
            last = now
        }
    }

    @Test(
        "I8 LOG is full because no coordinator was there: when it is back the shard goes on, whoever owns it then",
        arguments: [false, true])
    func coordinatorAway(isReplaced: Bool) async throws {
        let workload = try #require(ReferenceWorkload(customers: 60, events: 3000))
        let expected = ReferenceInterpreter.answers(for: workload)
        let installation = try await installation(workload, bounds: [.commits(ShardID(0)): 100_000])
        let running = installation.start(worker)
        try await feed(installation, workload)
        let stopped = try await standstill(installation)
        let state = try await installation.logs.state(of: .commits(ShardID(0)))
        #expect(state.first == 1 && state.last == stopped && state.bytes > 40_000, "\(state)")
        var next: Task<Void, any Error>?
        if isReplaced {
            // The one before lives on and is believed dead: above the limit there is room for the fence.
            let other = WorkerID(name: "w1", instance: "1")
            try await installation.place(alive: [other], owners: [0])
            next = installation.start(other)
            _ = try await installation.awaitCommit(in: 0) { $0.kind == .fence && $0.owner == other.description }
        }
        let fold = try await Accountant(installation).fold(until: ReferenceWorkload.closing)
        #expect(fold.answers == expected && fold.unexpected == 0, "\(fold.firstUnexpected ?? "")")
        #expect(try await installation.logs.state(of: .commits(ShardID(0))).first > 1)
        for worker in [running, next] {
            worker?.cancel()
            try await worker?.value
        }
    }

    @Test("I8 while it is full LOG stands at an acknowledged commit, below its bound, and grows no more")
    func closed() async throws {
        let workload = try #require(ReferenceWorkload(customers: 60, events: 3000))
        let log = LogName.commits(ShardID(0))
        let installation = try await installation(workload, bounds: [log: 100_000])
        let running = installation.start(worker)
        try await feed(installation, workload)
        _ = try await standstill(installation)
        // Two snapshots of what stands there now, so that nothing but the sums holds it.
        let state = try await installation.logs.state(of: log)
        let kept = try await installation.snapshots.kept(of: .shard(ShardID(0)))
        #expect(state.bytes < 100_000 && kept.count == 2 && kept[0].base != kept[1].base)
        #expect(kept[0].head.commit == state.last && kept[1].head.commit >= state.last - 1)
        running.cancel()
        try await running.value
    }

    @Test("I8 IN is nearly full of what is applied, and no snapshot could be written: when it can, IN is trimmed")
    func snapshotsAway() async throws {
        let workload = try #require(ReferenceWorkload(customers: 60, events: 3000))
        let log = LogName.input(ShardID(0))
        let installation = try await installation(workload, bounds: [log: 20_000])
        let running = installation.start(worker)
        _ = try await installation.awaitCommit(0) { $0.kind == .fence }
        installation.snapshots.setAvailable(false)
        var index: UInt64 = 0
        while try await installation.logs.state(of: log).bytes < 18_000 {
            let event = workload.event(at: index).input(seed: 42)
            _ = try await installation.put(.events([event]), 0)
            index += 1
        }
        _ = try await installation.awaitCommit(0) { $0.steps.contains { $0.inputSequence == index } }
        let stopped = try await standstill(installation)
        #expect(try await installation.logs.state(of: log).first == 1)
        installation.snapshots.setAvailable(true)
        while try await installation.logs.state(of: log).bytes > 2000 {
            try await installation.clock.sleep(until: installation.clock.now() + Milliseconds.second)
        }
        let commits = try installation.commits(0)
        #expect(commits.filter { $0.number > stopped }.allSatisfy { $0.kind == .steps && $0.steps.isEmpty }, "spacers only")
        #expect(commits.count(where: { $0.number > stopped }) <= 2)
        running.cancel()
        try await running.value
    }

    @Test("I8 IN is full and its owner waits for another shard to take its messages: what is applied is let go, be it little")
    func waitingForAnother() async throws {
        let installation = try SimulatedInstallation(shards: 2, timeMode: .live)
        let map = installation.installation.shards
        let (input, other) = (LogName.input(ShardID(0)), LogName.input(ShardID(1)))
        installation.logs.setBound(input, bytesMax: 4 << 20)
        installation.logs.setBound(other, bytesMax: 1)
        try await installation.place(alive: [worker], owners: [0, nil])
        let running = installation.start(worker, snapshotEveryBytes: 64 << 20)
        _ = try await installation.awaitCommit(0) { $0.kind == .fence }
        // Each bears an identifier that the other shard is to be told of.
        let cards = (0...).lazy.map { CustomerKey("card:\($0)") }.filter { map.shard(of: $0) == ShardID(1) }
        let users = (0...).lazy.map { CustomerKey.user("\($0)") }.filter { map.shard(of: $0) == ShardID(0) }
        var events = zip(users, cards).prefix(Limits.outboxMessagesMax + 500).map { user, card in
            Event(
                customer: user, time: .distantPast, identifiers: [Identifier(card)], body: .named(name: "Seen", properties: []))
        }[...]
        while !events.isEmpty {
            _ = try await installation.put(.events(Array(events.prefix(1500))), 0)
            events = events.dropFirst(1500)
        }
        while try await installation.logs.state(of: input).bytes < 4_000_000 {
            let words = Event(
                customer: .user("1"), time: .distantPast,
                body: .named(name: "Read", properties: [UInt8](repeating: 0x20, count: 1000)))
            _ = try await installation.put(.events([Event](repeating: words, count: 50)), 0)
        }
        let full = try await installation.logs.state(of: input)
        while try await installation.logs.state(of: input).first == 1 {
            try await installation.clock.sleep(until: installation.clock.now() + Milliseconds.second)
        }
        let commits = try installation.commits(0)
        let applied = try #require(commits.flatMap(\.steps).last?.inputSequence)
        #expect(applied < full.last / UInt64(Limits.snapshotLogFraction), "little enough: \(applied) of \(full.last)")
        #expect(try await installation.logs.state(of: input).first <= applied)
        // Now the other one can take them: it goes on.
        installation.logs.setBound(other, bytesMax: 64 << 20)
        _ = try await installation.awaitCommit(0) { $0.steps.contains { $0.inputSequence == full.last } }
        running.cancel()
        try await running.value
    }
}

@Suite struct CommitRoomTests {
    private func log(_ bytes: UInt64, bound: UInt64?) -> LogState {
        LogState(first: 1, last: 9, bytes: bytes, bytesMax: bound, time: nil)
    }

    @Test func `I8 a reserve is left above the limit for what is on its way and for takeovers, and a twelfth below it opens`() {
        for bound in [1 << 20, 4 << 20, 20 << 20, 128 << 20, 1 << 40] as [UInt64] {
            let room = CommitRoom(bound: bound)
            #expect(room.opensAt < room.closesAt && room.closesAt <= bound / 100 * 91)
            #expect(bound - room.closesAt >= min(Limits.commitReserveBytes, bound / 2))
        }
        #expect(CommitRoom(bound: nil).closesAt == .max)
        // Two commits on their way, and takeovers.
        #expect(Limits.commitReserveBytes >= UInt64(Limits.commitsWaitingMax * Limits.commitBytesMax) + 64 << 10)
    }

    @Test func `I8 open until a look says otherwise; it asks before it closes and opens only with a twelfth free`() {
        let bound: UInt64 = 128 << 20
        let room = CommitRoom(bound: bound)
        var watch = CommitRoomWatch()
        watch.sent(1 << 30)
        #expect(watch.state == .open, "no bound is known")
        watch.saw(log(room.closesAt - 10_000, bound: bound))
        watch.sent(1000)
        #expect(watch.state == .open)
        watch.sent(9000)
        #expect(watch.state == .asking)
        watch.saw(log(room.closesAt - 1000, bound: bound))
        #expect(watch.state == .open, "less was needed than could have been")
        watch.saw(log(room.closesAt, bound: bound))
        #expect(watch.state == .closed)
        watch.saw(log(room.opensAt, bound: bound))
        #expect(watch.state == .closed)
        watch.saw(log(room.opensAt - 1, bound: bound))
        #expect(watch.state == .open)
        watch.saw(log(room.closesAt, bound: bound))
        watch.saw(log(room.closesAt, bound: nil))
        #expect(watch.state == .open, "the bound was taken away")
    }
}
