import Foundation
import Model
import Ports
import SimulatedPorts
import Testing
import Workload

@testable import loadtest

@Suite struct MeasuringTests {
    @Test func `resident memory and its peak are read from the kernel's lines`() {
        let status = "Name:\tworker\nVmPeak:\t  999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t4\n"
        #expect(ProcessMemory(status: status)?.now == 1 << 20)
        #expect(ProcessMemory(status: status)?.peak == 2 << 20)
        #expect(ProcessMemory(status: "Name:\tzombie\n") == nil)
    }

    @Test func `this process lives and has memory; another start time is another process`() throws {
        let own = ClusterProcess.own("me")
        let memory = try #require(own.memory())
        #expect(memory.now > 1 << 20 && memory.peak >= memory.now / 2)
        #expect(!ClusterProcess(name: "me", id: own.id, started: "1").isAlive)
    }

    @Test func `overdue timers: counted, compared with the pace, and those named that came before a later one`() {
        func fired(_ time: Int64, _ dues: [Int64]) -> TimerWatch.Fired {
            TimerWatch.Fired(time: Instant(milliseconds: time), dues: dues.map { Instant(milliseconds: $0) })
        }
        let good = CatchUp([fired(1000, [90, 80, 80]), fired(1250, [70, 60])])
        #expect(good.count == 5 && good.outOfOrder == 0 && good.bound == 300)
        #expect(CatchUp([fired(1000, [90, 80]), fired(1250, [85, 95])]).outOfOrder == 2)
        let fast = CatchUp([fired(0, Array(repeating: 5, count: 200)), fired(250, Array(repeating: 5, count: 200))])
        #expect(fast.count > fast.bound)
        #expect(CatchUp([]).count == 0)
    }

    @Test func `the table of processes is read from the start script's files`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pids-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("12 345\n".utf8).write(to: folder.appending(path: "worker-1"))
        try Data("13 346\n".utf8).write(to: folder.appending(path: "nats-1"))
        #expect(
            try ClusterProcess.all(in: folder.path) == [
                ClusterProcess(name: "nats-1", id: 13, started: "346"), ClusterProcess(name: "worker-1", id: 12, started: "345"),
            ])
        try Data("twelve\n".utf8).write(to: folder.appending(path: "worker-2"))
        #expect(throws: LoadError.self) { try ClusterProcess.all(in: folder.path) }
    }

    @Test func `a killed process is ended and noticed`() async throws {
        let child = Process()
        child.executableURL = URL(filePath: "/bin/sleep")
        child.arguments = ["600"]
        try child.run()
        let stat = try String(contentsOf: URL(filePath: "/proc/\(child.processIdentifier)/stat"), encoding: .utf8)
        let fields = stat.split(separator: " ")
        let process = ClusterProcess(name: "sleep", id: child.processIdentifier, started: String(fields[21]))
        #expect(process.isAlive)
        let sampler = MemorySampler([process, .own("me")])
        sampler.start()
        try process.kill9()
        child.waitUntilExit()
        let result = sampler.stop()
        #expect(result.ended == ["sleep"])
        #expect(result.peaks["me"] ?? 0 > 0 && result.peakSumBytes > 0)
        #expect(throws: LoadError.self) { try process.kill9() }
    }

    @Test func `the board is complete when every shard has run its closing record`() async throws {
        let map = try #require(ShardMap(shards: 2))
        let logs = SimulatedLogStore(clock: ManualClock(at: ReferenceWorkload.start))
        let board = AnswerBoard(shards: map.all)
        var effects = ByteWriter()
        Effect.sums([SumDelta(.orders, amount: 1), SumDelta(.events, amount: 3)]).write(to: &effects)
        for shard in map.all {
            let fence = Commit(kind: .fence, shard: shard, epoch: 1, number: 1, previousHash: 0, brain: 1, owner: "w").encoded()
            let step = Step(
                inputSequence: 4, eventsThrough: 0, clock: ReferenceWorkload.closing, wakeUps: 0, configuration: 1,
                effects: effects.bytes)
            let last = Commit(
                kind: .steps, shard: shard, epoch: 1, number: 2, previousHash: fence.hash, brain: 1, owner: "w", steps: [step])
            _ = try await logs.append(to: .commits(shard), fence.bytes)
            _ = try await logs.append(to: .commits(shard), last.encoded().bytes)
        }
        board.close(at: [ShardID(0): 4, ShardID(1): 4])
        #expect(board.view.completed == nil)
        for shard in map.all {
            let following = Task { try await board.follow(shard, of: logs) }
            while !board.view.complete.contains(shard) { await Task.yield() }
            following.cancel()
            _ = await following.result
        }
        #expect(board.view.completed != nil)
        #expect(board.view.fold.answers.orders == 2 && board.view.fold.eventsApplied == 6 && board.view.commits == 4)
    }

    @Test func `the report's JSON has the names that were agreed on`() throws {
        let report = ReferenceReport(
            customers: 1, events: 2, seed: 3, shards: 4, workers: 2, killedWorker: nil, seconds: 0.5, eventsPerSecond: 4,
            peakBytes: 100, processes: [.init(name: "worker-1", peakBytes: 60)], commits: 7, answers: ReferenceAnswers(),
            correct: nil)
        let object = try JSONSerialization.jsonObject(with: Data(try report.json().utf8)) as? [String: Any]
        let keys = [
            "customers", "events", "seed", "shards", "workers", "killed_worker", "seconds", "events_per_second", "peak_rss_bytes",
            "processes", "commits", "answers", "correct", "scenario", "context",
        ]
        #expect(Set(try #require(object).keys) == Set(keys))
        #expect((object?["answers"] as? [String: Any])?["fired.reorder"] as? Int == 0)
        #expect((object?["processes"] as? [[String: Any]])?.first?["peak_rss_bytes"] as? Int == 60)
    }
}
