import ArgumentParser
import Foundation
import Model

struct RecoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "Let shards be taken over that wait for a version of the deciding code which nobody runs any more.",
        discussion: """
            After a crash a shard can be taken over only by a worker with the same brain: no other one decides the same from \
            the same events. `reprise status` says which shards wait, and for which brain. Start a worker of that version: \
            that changes nothing. When there is none, --trust-log takes what the shard's log records as the truth: which \
            messages were decided, permitted and sent, which orders were credited to them. What the customers did is read \
            again by the new brain; every difference stands in the log of the worker that takes the shard over.
            """)

    @OptionGroup var installation: InstallationOptions
    @Flag(help: "Take what the logs of these shards record as the truth.")
    var trustLog = false
    @Argument(help: ArgumentHelp("The shards.", valueName: "shard"))
    var shards: [Int] = []
    @Flag(help: "All shards that wait.")
    var all = false
    @Flag(help: "Do not ask.")
    var yes = false
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard trustLog else { throw ValidationError("--trust-log: there is no other way to recover; see --help") }
        guard shards.isEmpty == all else { throw ValidationError("shards, or --all; one of them is wanted") }
        guard shards.allSatisfy({ $0 >= 0 }) else { throw ValidationError("a shard is a number from 0 on") }
    }

    func run() async throws {
        let cluster = try await Cluster.open(installation, name: "reprise-recover")
        guard yes || confirm() else { throw CommandError("nothing was done") }
        let answer = try await cluster.coordinator.trust(TrustRequest(shards: all ? nil : shards))
        if json { try Output.json(answer) } else { show(answer) }
        if !answer.refused.isEmpty { throw ExitCode(answer.trusted.isEmpty ? 1 : 2) }
    }

    private func confirm() -> Bool {
        let what = all ? "all shards that wait" : "shards \(shards.map(String.init).joined(separator: ", "))"
        Output.note("The logs of \(what) will be taken as the truth. This cannot be undone. Type 'trust' to go on:")
        return readLine() == "trust"
    }

    private func show(_ answer: TrustAnswer) {
        for end in answer.trusted { print("shard \(end.shard): its log is trusted up to commit \(end.commit)") }
        for (shard, reason) in answer.refused.sorted(by: { $0.key < $1.key }) { Output.note("shard \(shard): \(reason)") }
        if answer.trusted.isEmpty && answer.refused.isEmpty { print("no shard waits") }
    }
}
