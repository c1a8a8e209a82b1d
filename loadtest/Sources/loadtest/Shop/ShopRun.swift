import Model
import Ports
import Workload

/// Plays the shop through a cluster that is ready and empty.
struct ShopRun: Sendable {
    let workload: ShopWorkload
    let map: ShardMap
    let logs: any LogStore
    /// All of the cluster.
    let processes: [ClusterProcess]
    /// Hours of the shop's time between two clock records.
    let clockHours: Int
    /// A run in which nothing is committed for so long has failed.
    let patience: Duration

    struct Outcome: Sendable {
        var seconds: Double
        var tally: ShopTally
        var view: ShopBoard.View
        var memory: MemorySampler.Result
    }

    func run() async throws -> Outcome {
        let board = ShopBoard(shards: map.all, closing: workload.closing)
        let sampler = MemorySampler(processes)
        sampler.start()
        return try await withThrowingTaskGroup(of: Outcome?.self) { group in
            for shard in map.all {
                group.addTask {
                    try await board.follow(shard, of: logs)
                    return nil
                }
            }
            group.addTask { try await drive(board, sampler) }
            defer { group.cancelAll() }
            while let outcome = try await group.next() {
                if let outcome { return outcome }
            }
            throw LoadError("the run ended without an outcome")
        }
    }

    private func drive(_ board: ShopBoard, _ sampler: MemorySampler) async throws -> Outcome {
        let publisher = try await InputPublisher(logs: logs, shards: map.all)
        for shard in map.all where await publisher.last(of: shard) > 0 { throw LoadError("\(LogName.input(shard)) is not empty") }
        let began = ContinuousClock.now
        async let sending = send(publisher, board)
        try await watch(board, sampler, began)
        let tally = try await sending
        let view = board.view
        return Outcome(
            seconds: began.duration(to: view.completed ?? .now) / .seconds(1), tally: tally, view: view, memory: sampler.stop())
    }

    /// The whole shop, clock records between, and the closing one.
    private func send(_ publisher: InputPublisher, _ board: ShopBoard) async throws -> ShopTally {
        var shop = Shop(workload)
        var batches = ShardBatches(map: map)
        var hour = 0
        var events: [Event] = []
        while shop.nextHour({ events.append($0) }) {
            for event in events {
                let shard = batches.append(event)
                if batches.isFull(shard) { try await publisher.send(batches.take(shard), to: shard) }
            }
            events.removeAll(keepingCapacity: true)
            hour += 1
            if hour % clockHours == 0 && hour < workload.hours {
                try await tell(ShopWorkload.start + Int64(hour) * Milliseconds.hour, &batches, publisher)
            }
        }
        try await tell(workload.closing, &batches, publisher)
        try await publisher.drain()
        var closing: [ShardID: UInt64] = [:]
        for shard in map.all { closing[shard] = await publisher.last(of: shard) }
        board.close(at: closing)
        return shop.tally
    }

    private func tell(_ time: Instant, _ batches: inout ShardBatches, _ publisher: InputPublisher) async throws {
        let record = InputMessage.clock(time).encoded()
        for shard in map.all {
            if batches.count(shard) > 0 { try await publisher.send(batches.take(shard), to: shard) }
            try await publisher.send(record, to: shard)
        }
    }

    private func watch(_ board: ShopBoard, _ sampler: MemorySampler, _ began: ContinuousClock.Instant) async throws {
        var progress = Progress()
        var commits = 0
        var moved = ContinuousClock.now
        while true {
            let view = board.view
            if view.completed != nil { return }
            if view.commits != commits { (commits, moved) = (view.commits, .now) }
            if let ended = sampler.ended.min() { throw LoadError("\(ended) has ended; its log says why") }
            guard moved.duration(to: .now) < patience else {
                throw LoadError(
                    "nothing was committed for \(patience): \(view.events) events, \(view.complete.count) shards complete")
            }
            progress.show(
                "\(Int(began.duration(to: .now) / .seconds(1))) s: \(view.customers) customers, \(view.events) events, "
                    + "\(view.orders) orders, \(view.complete.count) of \(map.shards) shards complete")
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
