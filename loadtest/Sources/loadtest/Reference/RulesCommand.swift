import ArgumentParser
import Model
import Ports
import Workload

struct RulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "Put the reference workload's rules into an installation.",
        discussion: "Call it before the workers start: then no event can be applied without them.")

    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        let connection = try await ClusterConnection.open(cluster)
        let revision = try await connection.logs.append(to: .configuration, ReferenceRules.ruleSet.encoded())
        connection.close()
        print("revision \(revision)")
    }
}
