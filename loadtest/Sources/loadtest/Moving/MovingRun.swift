import Foundation
import Model
import Ports
import Synchronization
import Workload

/// The reference workload as live load while workers come and go: first enough to know every customer, then so many events
/// a second; at the end the answers are compared.
struct MovingRun: Sendable {
    struct Plan: Sendable {
        let workload: ReferenceWorkload
        /// Events sent as fast as they are taken, before anything happens.
        let loadEvents: UInt64
        /// Events a second while it happens.
        let rate: UInt64
    }

    /// What an action works with.
    struct Scene: Sendable {
        let cluster: MovingCluster
        let fleet: WorkerFleet
        let watch: CommitWatch
        let board: AnswerBoard
        let tempo = PacedSender.Tempo()

        /// Committed events a second over some time.
        func eventsPerSecond(over duration: Duration) async throws -> Double {
            let before = (board.view.fold.eventsApplied, ContinuousClock.now)
            try await Task.sleep(for: duration)
            return Self.rate(before, board.view.fold.eventsApplied)
        }

        static func rate(_ before: (Int64, ContinuousClock.Instant), _ now: Int64) -> Double {
            (Double(now - before.0) / (before.1.duration(to: .now) / .seconds(1))).rounded()
        }
    }

    struct Outcome<Found: Sendable>: Sendable {
        var found: Found
        /// From the first event to the commit of the last one that was sent at full speed.
        var loadSeconds: Double
        var problems: [String]
    }

    let plan: Plan
    let connection: ClusterConnection
    let fleet: WorkerFleet
    let patience: Duration

    func run<Found: Sendable>(_ act: @escaping @Sendable (Scene) async throws -> Found) async throws -> Outcome<Found> {
        let watch = CommitWatch()
        let board = AnswerBoard(shards: connection.installation.shards.all) { watch.see($0, at: $1) }
        let scene = Scene(
            cluster: MovingCluster(messaging: connection.messaging, patience: patience), fleet: fleet, watch: watch,
            board: board)
        return try await withThrowingTaskGroup(of: Outcome<Found>?.self) { group in
            for shard in connection.installation.shards.all {
                group.addTask {
                    try await board.follow(shard, of: connection.logs)
                    return nil
                }
            }
            group.addTask { try await drive(scene, act) }
            defer { group.cancelAll() }
            while let outcome = try await group.next() {
                if let outcome { return outcome }
            }
            throw LoadError("the run ended without an outcome")
        }
    }

    private func drive<Found: Sendable>(
        _ scene: Scene, _ act: @escaping @Sendable (Scene) async throws -> Found
    ) async throws -> Outcome<Found> {
        let map = connection.installation.shards
        let publisher = try await InputPublisher(logs: connection.logs, shards: map.all)
        for shard in map.all where await publisher.last(of: shard) > 0 {
            throw LoadError(
                "\(LogName.input(shard)) is not empty: the answers are only known for a cluster that has seen nothing")
        }
        let sender = PacedSender(workload: plan.workload, map: map, publisher: publisher, watch: scene.watch, tempo: scene.tempo)
        var progress = Progress()
        let began = ContinuousClock.now
        try await sender.sendAll(0..<plan.loadEvents)
        try await waitForEvents(Int64(plan.loadEvents), scene.board)
        let loadSeconds = began.duration(to: .now) / .seconds(1)
        progress.say("\(plan.loadEvents) events loaded in \(Int(loadSeconds)) s; now \(plan.rate) a second")
        _ = scene.watch.takeLatencies()
        async let paced = sender.sendPaced(from: plan.loadEvents, rate: plan.rate)
        let found: Found
        do {
            found = try await act(scene)
        } catch {
            sender.hurry()
            throw error
        }
        sender.hurry()
        let wasShort = try await paced == plan.workload.events - plan.loadEvents
        scene.board.close(at: try await sender.close())
        try await waitForAnswers(scene.board)
        var problems = verdict(scene.board.view.fold)
        if wasShort { problems.append("the live load had ended before the last measurement: give it more --seconds") }
        return Outcome(found: found, loadSeconds: loadSeconds, problems: problems)
    }

    private func waitForEvents(_ count: Int64, _ board: AnswerBoard) async throws {
        try await wait(board) { $0.fold.eventsApplied >= count }
    }

    private func waitForAnswers(_ board: AnswerBoard) async throws {
        try await wait(board) { $0.completed != nil }
    }

    /// Fails when nothing is committed for too long.
    private func wait(_ board: AnswerBoard, for isMet: (AnswerBoard.View) -> Bool) async throws {
        var moved = ContinuousClock.now
        var commits = 0
        while true {
            let view = board.view
            if isMet(view) { return }
            if view.commits != commits { (commits, moved) = (view.commits, .now) }
            guard moved.duration(to: .now) < patience else { throw LoadError("nothing was committed for \(patience)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func verdict(_ fold: AnswerFold) -> [String] {
        var problems: [String] = []
        let right = ReferenceAnswers.known(for: plan.workload) ?? ReferenceInterpreter.answers(for: plan.workload)
        if right != fold.answers { problems.append("the answers are wrong: \(fold.answers); right are \(right)") }
        if fold.eventsApplied != Int64(plan.workload.events) {
            problems.append("\(fold.eventsApplied) events applied of \(plan.workload.events)")
        }
        if let odd = fold.firstUnexpected {
            problems.append("\(fold.unexpected) effects that this workload cannot have; the first: \(odd)")
        }
        return problems
    }
}
