import ArgumentParser
import Foundation
import Model
import Ports

/// Which customer, and which page.
struct HistoryQuestion: ParsableArguments {
    @Argument(help: "Any identifier of the customer, or a whole key: u:…, a:…, email:…, phone:…, card:…, ext:<type>:….")
    var key: String
    @Option(help: ArgumentHelp("Where the page before ended.", valueName: "place"))
    var after: String?
    @Option(help: ArgumentHelp("Rows of a page.", valueName: "number"))
    var limit: Int = 50

    func validate() throws {
        guard (1...Limits.historyPageMax).contains(limit) else {
            throw ValidationError("--limit: 1 to \(Limits.historyPageMax), not \(limit)")
        }
    }

    /// By the customer that the actors know under the identifier; where they know none, by the text as a key.
    func request(_ cluster: Cluster) async throws -> HistoryRequest {
        let found = try await CustomerFinder(cluster: cluster).find(key)
        return HistoryRequest(customer: found?.customer ?? CustomerFinder.keys(key)[0].text, after: after, limit: limit)
    }
}

extension CustomerCommand {
    struct Timeline: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "timeline",
            abstract: "Show what happened to a customer, newest first; with what happened to those merged into it.")

        @OptionGroup var installation: InstallationOptions
        @OptionGroup var question: HistoryQuestion
        @Flag(help: "Print JSON: times in milliseconds since 1970, money in minor units.")
        var json = false

        func run() async throws {
            let cluster = try await Cluster.open(installation, name: "reprise-timeline")
            let page = try await HistoryClient(messaging: cluster.messaging).timeline(question.request(cluster))
            if json { try Output.json(page) } else { print(HistoryText(try await cluster.rules()).timeline(page)) }
        }
    }

    struct Decisions: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "decisions",
            abstract: "Show what was decided about a customer, newest first: each message, or why there was none.")

        @OptionGroup var installation: InstallationOptions
        @OptionGroup var question: HistoryQuestion
        @Flag(help: "Print JSON: times in milliseconds since 1970, money in minor units.")
        var json = false

        func run() async throws {
            let cluster = try await Cluster.open(installation, name: "reprise-decisions")
            let page = try await HistoryClient(messaging: cluster.messaging).decisions(question.request(cluster))
            if json { try Output.json(page) } else { print(HistoryText(try await cluster.rules()).decisions(page)) }
        }
    }
}

extension HistoryFigure: ExpressibleByArgument {}

extension MechanicsCommand {
    struct Drill: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "drill",
            abstract: "List what a figure of a rule or a mechanic stands for: its messages, or the orders that gave it money.",
            discussion: """
                The total is that of the whole list, of which a page is shown; without --from and --to it is the figure of \
                `reprise mechanics`, as long as nothing of it is older than the history keeps.
                """)

        @OptionGroup var installation: InstallationOptions
        @Argument(help: "A rule's name or number, or a mechanic: review_request, time_since_last_purchase, regular_consumption.")
        var rule: String
        @Argument(
            help: "executions, suppressed, sent, recorded, undeliverable, uncertain, withdrawn, conversions, sales or revenue.")
        var figure: HistoryFigure
        @Option(help: ArgumentHelp("From this day on, UTC.", valueName: "YYYY-MM-DD")) var from: String?
        @Option(help: ArgumentHelp("Before this day, UTC.", valueName: "YYYY-MM-DD")) var to: String?
        @Option(help: ArgumentHelp("Where the page before ended.", valueName: "place")) var after: String?
        @Option(help: ArgumentHelp("Rows of a page.", valueName: "number")) var limit: Int = 50
        @Flag(help: "Print JSON: times in milliseconds since 1970, money in minor units.")
        var json = false

        func validate() throws {
            guard (1...Limits.historyPageMax).contains(limit) else {
                throw ValidationError("--limit: 1 to \(Limits.historyPageMax), not \(limit)")
            }
            _ = try (Self.day(from, "--from"), Self.day(to, "--to"))
        }

        private static func day(_ text: String?, _ option: String) throws -> Int64? {
            guard let text else { return nil }
            guard let date = try? Date(text + "T00:00:00Z", strategy: .iso8601) else {
                throw ValidationError("\(option) '\(text)': a day like 2026-03-31 is wanted")
            }
            return Int64((date.timeIntervalSince1970 * 1000).rounded())
        }

        func run() async throws {
            let cluster = try await Cluster.open(installation, name: "reprise-drill")
            let rules = try await cluster.rules()
            let named = (rules?.rules ?? []).filter { $0.name == rule }
            let chosen = named.isEmpty ? (rules?.rules ?? []).filter { $0.mechanic.name == rule } : named
            let ids = chosen.isEmpty ? [UInt32(rule)].compactMap { $0 } : chosen.map(\.id.number)
            guard !ids.isEmpty else {
                throw CommandError(
                    "no rule and no mechanic in use is called '\(rule)'; give a name of the configuration or a number")
            }
            let page = try await HistoryClient(messaging: cluster.messaging).drill(
                DrillRequest(
                    rules: ids, figure: figure, fromMilliseconds: try Self.day(from, "--from"),
                    toMilliseconds: try Self.day(to, "--to"), after: after, limit: limit))
            if json { try Output.json(page) } else { print(HistoryText(rules).drill(page, figure: figure)) }
        }
    }
}

extension Cluster {
    /// The newest rule set; nil = none was applied yet.
    fileprivate func rules() async throws -> RuleSet? {
        try await logs.last(of: .configuration).map { try RuleSet.decoded($0.payload, revision: $0.sequence) }
    }
}
