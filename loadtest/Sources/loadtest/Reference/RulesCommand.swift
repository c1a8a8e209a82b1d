import ArgumentParser
import Model
import Ports
import Workload

struct RulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "Put the rules of a workload into an installation.",
        discussion: "Call it before the workers start: then no event can be applied without them.")

    @OptionGroup var cluster: ClusterOptions
    @Option(help: "One rule, so many milliseconds after a customer's last order, instead of the reference workload's three.")
    var lapseAfter: Int64?

    func validate() throws {
        if let lapseAfter, lapseAfter < 1 { throw ValidationError("--lapse-after: 1 millisecond or more") }
    }

    func run() async throws {
        let rules = lapseAfter.map { FirstOrders.rules(lapseAfter: $0) } ?? ReferenceRules.ruleSet
        let connection = try await ClusterConnection.open(cluster)
        let revision = try await connection.logs.append(to: .configuration, rules.encoded())
        connection.close()
        print("revision \(revision)")
    }
}
