import Foundation
import Model
import Ports

/// Waits until all that was accepted is applied, every action has its outcome, and the coordinator's sums have it all.
struct Quiet: Sendable {
    let logs: any LogStore
    let messaging: any Messaging
    let shards: ShardMap
    let recorder: Recorder
    let board: Board

    struct Calm: Sendable {
        var seconds: Double
        var report: MechanicsReport?
        var violations: [String] = []
    }

    /// Two looks, so far apart, must find the same.
    private static let stillness = Duration.seconds(2)

    /// What is not calm by then is a violation: something stands still for good, or goes on for ever.
    func wait(within limit: Duration) async throws -> Calm {
        let began = ContinuousClock.now
        let deadline = began + limit
        var last = ""
        while ContinuousClock.now < deadline {
            do {
                let before = try await ends()
                for shard in shards.all { try await applied(shard, input: before[.input(shard)] ?? 0) }
                try await Task.sleep(for: Self.stillness)
                guard try await ends() == before else { continue }
                for (name, end) in before where recorder.last(of: name) < end {
                    throw ChaosError("\(name) was read from outside to \(recorder.last(of: name)) of \(end)")
                }
                let report = try await report(before)
                let seconds = began.duration(to: .now) / .seconds(1)
                board.say("quiet after \(Int(seconds)) s")
                return Calm(seconds: seconds, report: report)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                if "\(error)" != last { board.say("  not quiet yet: \(error)") }
                last = "\(error)"
                try await Task.sleep(for: .milliseconds(500))
            }
        }
        let what = "not quiet \(limit) after the end of faults and load: \(last)"
        board.say("VIOLATION: " + what)
        return Calm(seconds: began.duration(to: .now) / .seconds(1), report: nil, violations: [what])
    }

    private func ends() async throws -> [LogName: UInt64] {
        var ends: [LogName: UInt64] = [:]
        for name in recorder.names { ends[name] = try await logs.state(of: name).last }
        return ends
    }

    private func applied(_ shard: ShardID, input: UInt64) async throws {
        let wanted = AwaitRequest(inputSequence: input, withoutOpenActions: true, timeoutMilliseconds: 2000)
        let answer = try await messaging.request(
            "shard.\(shard).await", Array(try JSONEncoder().encode(wanted)), timeout: .seconds(4))
        let status = try JSONDecoder().decode(ShardStatus.self, from: Data(answer))
        guard status.inputApplied >= input, status.openActions == 0 else {
            throw ChaosError(
                "shard \(shard) is \(status.phase.rawValue), at input \(status.inputApplied) of \(input), "
                    + "\(status.openActions) actions open \(status.problem ?? "")")
        }
    }

    private func report(_ ends: [LogName: UInt64]) async throws -> MechanicsReport {
        let commits = Dictionary(uniqueKeysWithValues: shards.all.map { (Int($0.number), ends[.commits($0)] ?? 0) })
        let wanted = CaughtUpRequest(commits: commits, timeoutMilliseconds: 4000)
        let caughtUp = try await ask("coordinator.caughtup", try JSONEncoder().encode(wanted), CaughtUpAnswer.self)
        guard caughtUp.reached, caughtUp.problems.isEmpty else {
            throw ChaosError("the coordinator's sums have not all commits: \(caughtUp.problems)")
        }
        return try await ask("coordinator.mechanics", Data(), MechanicsReport.self)
    }

    private func ask<Answer: Decodable>(_ subject: String, _ request: Data, _ type: Answer.Type) async throws -> Answer {
        try JSONDecoder().decode(type, from: Data(try await messaging.request(subject, Array(request), timeout: .seconds(6))))
    }
}
