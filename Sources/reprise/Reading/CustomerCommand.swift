import ArgumentParser
import Foundation
import Model
import Ports
import PurchaseFiles

struct CustomerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "customer", abstract: "Customers: their profiles, what happened, and who is who.",
        subcommands: [Show.self, Timeline.self, Decisions.self, Duplicates.self, Merge.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show a customer's orders, timers and messages, as its actor knows them now.",
            discussion: """
                Found by any identifier; one that was merged into another customer shows that one. The answer comes from the \
                shard's owner. Exit code 1 when nobody is known by it.
                """)

        @OptionGroup var installation: InstallationOptions
        @Argument(
            help:
                "User id, anonymous id, e-mail, phone or card; or a whole key: u:…, a:…, email:…, phone:…, card:…, ext:<type>:….")
        var key: String
        @Flag(help: "Print JSON: times in milliseconds since 1970, money in minor units.")
        var json = false

        func run() async throws {
            let cluster = try await Cluster.open(installation, name: "reprise-customer")
            guard let view = try await CustomerFinder(cluster: cluster).find(key) else {
                let shard = cluster.installation.shards.shard(of: CustomerFinder.keys(key)[0])
                throw CommandError("nobody is known by the key '\(CustomerFinder.keys(key)[0])' (its shard, \(shard), was asked)")
            }
            if json { return try Output.json(view) }
            let rules = try await cluster.logs.last(of: .configuration).map {
                try RuleSet.decoded($0.payload, revision: $0.sequence)
            }
            print(CustomerText.text(view, currencyDigits: Int(rules?.currencyDigits ?? 2)))
        }
    }
}

/// A profile for a terminal.
enum CustomerText {
    static func text(_ view: CustomerView, currencyDigits: Int) -> String {
        func money(_ minor: Int64) -> String { Figures.money(minor, digits: currencyDigits) + " " + view.currency }
        func day(_ milliseconds: Int64?) -> String { milliseconds.map { CalendarDate.day(Instant(milliseconds: $0)) } ?? "-" }
        func time(_ milliseconds: Int64) -> String { CalendarDate.text(Instant(milliseconds: milliseconds)) }
        var lines = ["\(view.customer)   (shard \(view.shard))"]
        for (name, value) in view.traits.sorted(by: { $0.key < $1.key }) { lines.append("  \(name): \(value)") }
        for (channel, granted) in view.consents.sorted(by: { $0.key < $1.key }) {
            lines.append("  may be written to by \(channel): \(granted ? "yes" : "no")")
        }
        if !view.identifiers.isEmpty { lines.append("  also known by: \(view.identifiers.joined(separator: ", "))") }
        if !view.merged.isEmpty { lines.append("  merged from: \(view.merged.joined(separator: ", "))") }
        if !view.segments.isEmpty { lines.append("  in segments: \(view.segments.joined(separator: ", "))") }
        let span = "first \(day(view.firstOrderMilliseconds)), last \(day(view.lastOrderMilliseconds))"
        lines.append("  orders: \(view.orderCount), worth \(money(view.orderSum)); \(span)")
        if view.views > 0 || view.clicks > 0 { lines.append("  \(view.views) products viewed, \(view.clicks) messages clicked") }
        func section(_ title: String, _ columns: [(title: String, alignment: TextTable.Alignment)], _ rows: [[String]]) {
            guard !rows.isEmpty else { return }
            var table = TextTable(columns)
            for row in rows { table.row(row) }
            lines += ["", title, table.text]
        }
        section(
            "Orders", [("PLACED", .left), ("STATE", .left), ("REVENUE", .right), ("CREDITED TO", .left)],
            view.orders.map { [time($0.placedMilliseconds), $0.state, money($0.revenue), $0.creditedRule ?? "-"] })
        section(
            "Messages", [("WHEN", .left), ("RULE", .left), ("CHANNEL", .left), ("STATE", .left), ("ACTION", .left)],
            view.actions.map { [time($0.timeMilliseconds), $0.rule, $0.channel, $0.state, $0.action] })
        section(
            "Timers", [("DUE", .left), ("RULE", .left), ("FOR", .left)],
            view.timers.map { [time($0.dueMilliseconds), $0.rule, $0.subject] })
        return lines.joined(separator: "\n")
    }
}
