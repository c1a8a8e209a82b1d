import ArgumentParser
import Model

struct MechanicsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mechanics", abstract: "What each rule brought, and the list behind each figure.",
        discussion: "`reprise mechanics` is short for `reprise mechanics show`.",
        subcommands: [MechanicsShowCommand.self, Drill.self],
        defaultSubcommand: MechanicsShowCommand.self)
}

struct MechanicsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what each rule brought: executions, messages, conversions, sales, revenue.",
        discussion: """
            EXECUTIONS   times the rule decided to act
            SENT         messages that left; for a rule that only records: recorded
            CONVERSIONS  messages that an order followed within the rule's window
            RATE         conversions of the messages sent
            SALES        orders credited to the rule, each to one rule only
            REVENUE      what those orders are worth
            """)

    @OptionGroup var installation: InstallationOptions
    @Flag(help: "Print JSON: money in minor units, and everything that was suppressed, by reason.")
    var json = false

    func run() async throws {
        let cluster = try await Cluster.open(installation, name: "reprise-mechanics")
        let report = try await cluster.coordinator.mechanics()
        if json { try Output.json(report) } else { print(MechanicsTable.text(report)) }
    }
}

/// The report as a table.
enum MechanicsTable {
    static func text(_ report: MechanicsReport) -> String {
        func money(_ minor: Int64) -> String { Figures.money(minor, digits: report.currencyDigits) }
        func sent(_ row: MechanicsReport.Row) -> Int64 { row.sent + row.recorded }
        func cells(_ rows: [MechanicsReport.Row]) -> [String] {
            func sum(_ value: (MechanicsReport.Row) -> Int64) -> Int64 { rows.reduce(0) { $0 + value($1) } }
            return [
                Figures.count(sum(\.executions)), Figures.count(sum(sent)), Figures.count(sum(\.conversions)),
                Figures.percent(sum(\.conversions), of: sum(sent)), Figures.count(sum(\.sales)), money(sum(\.revenue)),
            ]
        }
        var table = TextTable([
            ("RULE", .left), ("MECHANIC", .left), ("EXECUTIONS", .right), ("SENT", .right), ("CONVERSIONS", .right),
            ("RATE", .right), ("SALES", .right), ("REVENUE, \(report.currency)", .right),
        ])
        for row in report.rows { table.row([row.title, row.mechanic] + cells([row])) }
        table.line()
        table.row(["all", ""] + cells(report.rows))
        var lines = [table.text, ""]
        let all = "of \(Figures.count(report.orders)) orders of \(Figures.count(report.customers)) customers"
        lines.append("\(all), worth \(money(report.revenue)) \(report.currency)")
        for row in report.rows {
            var rest = row.suppressed.sorted { $0.key < $1.key }.map { "\(Figures.count($0.value)) not decided: \($0.key)" }
            if row.undeliverable > 0 { rest.append("\(Figures.count(row.undeliverable)) undeliverable") }
            if row.uncertain > 0 { rest.append("\(Figures.count(row.uncertain)) uncertain") }
            if row.withdrawn > 0 { rest.append("\(Figures.count(row.withdrawn)) withdrawn") }
            if !rest.isEmpty { lines.append("\(row.title): \(rest.joined(separator: "; "))") }
        }
        if report.setAside > 0 { lines.append("\(Figures.count(report.setAside)) events set aside") }
        if report.lagCommits > 0 { lines.append("not in these sums yet: \(Figures.count(report.lagCommits)) commits") }
        return lines.joined(separator: "\n")
    }
}
