import ArgumentParser
import Foundation
import Model

/// `reprise worker drain NAME`: its shards go to others, and it takes none until it is undrained.
struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Move a worker's shards to the others, a few at a time; it takes none until it is undrained.",
        discussion: """
            The worker goes on running, and its shards are served all the while. It stands in the coordinator's log, so \
            that it holds when the worker or the coordinator is started again.
            """)

    @OptionGroup var installation: InstallationOptions
    @Argument(help: "The worker's name.") var name: String
    @Option(help: ArgumentHelp("Wait up to so long until it owns nothing, showing how many are left.", valueName: "seconds"))
    var wait: Int?

    func validate() throws {
        guard wait ?? 0 >= 0 else { throw ValidationError("--wait: 0 seconds or more") }
    }

    func run() async throws {
        let cluster = try await Cluster.open(installation, name: "reprise-drain", waiting: .zero)
        let answer = try await cluster.coordinator.drain(name, true)
        guard let wait else { return print(answer.isNew ? "\(name) is being drained" : "\(name) is drained already") }
        let left = try await waitUntilEmpty(cluster, .now + .seconds(wait))
        print(left == 0 ? "\(name) owns no shards" : "\(name) still owns \(left) shards after \(wait) s")
        if left > 0 { throw ExitCode(2) }
    }

    /// Shards that it still serves when the time is up.
    private func waitUntilEmpty(_ cluster: Cluster, _ deadline: ContinuousClock.Instant) async throws -> Int {
        var bar: ProgressBar?
        var most = 0
        while true {
            let status = try await cluster.coordinator.status()
            let left = status.shardsServed(by: name)
            most = max(most, left)
            bar = bar ?? ProgressBar(total: most)
            bar?.show(most - left, "\(left) shards left")
            let isEverythingServed = Set(status.workers.flatMap { status.shardsServed(by: $0.id) }).count == status.shards
            if left == 0 && isEverythingServed || ContinuousClock.now >= deadline {
                bar?.finish()
                return left
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}

struct UndrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undrain", abstract: "Let a drained worker own shards again.")

    @OptionGroup var installation: InstallationOptions
    @Argument(help: "The worker's name.") var name: String

    func run() async throws {
        let cluster = try await Cluster.open(installation, name: "reprise-undrain", waiting: .zero)
        let answer = try await cluster.coordinator.drain(name, false)
        print(answer.isNew ? "\(name) takes its share again" : "\(name) was not drained")
    }
}

extension ClusterStatus {
    /// Shards that this run of a worker serves, or releases now.
    fileprivate func shardsServed(by worker: WorkerID) -> [Int] {
        workers.first { $0.id == worker && $0.alive }?.shards
            .filter { $0.phase == .serving || $0.phase == .releasing }.map(\.shard) ?? []
    }

    fileprivate func shardsServed(by name: String) -> Int {
        workers.filter { $0.id.name == name }.reduce(0) { $0 + shardsServed(by: $1.id).count }
    }
}
