import ArgumentParser
import Foundation
import Model

/// `reprise segment`: who is in the segments.
struct SegmentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "segment",
        abstract: "Show how large the segments are and who is in them, and keep members as a list.",
        discussion: "Segments are written in the files of rules; see `reprise rules`.",
        subcommands: [List.self, Members.self, Freeze.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Show the live size of every segment.",
            discussion: """
                MEMBERS      customers that are in it at this moment
                REACHABLE    those of them whom a message can reach by some channel: an address that works, and consent
                """)

        @OptionGroup var installation: InstallationOptions
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let cluster = try await Cluster.open(installation, name: "reprise-segment")
            let report = try await cluster.coordinator.segments()
            if json { return try Output.json(report) }
            guard !report.rows.isEmpty else { return print("there are no segments; write them into the files of rules") }
            var table = TextTable([
                ("SEGMENT", .left), ("TITLE", .left), ("MEMBERS", .right), ("REACHABLE", .right), ("OF ALL", .right),
            ])
            for row in report.rows {
                table.row([
                    row.name, row.title, Figures.count(row.members), Figures.count(row.reachableMembers),
                    Figures.percent(row.members, of: report.customers),
                ])
            }
            print(table.text)
            if report.lagCommits > 0 { print("not in these sizes yet: \(Figures.count(report.lagCommits)) commits") }
        }
    }

    struct Members: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "members",
            abstract: "List members of a segment: some of them from all shards, or all.",
            discussion: "With --csv: a first line with the columns, then a line for each member.")

        @OptionGroup var installation: InstallationOptions
        @Argument(help: "The segment's name.")
        var name: String
        @Option(help: ArgumentHelp("How many at most.", valueName: "number"))
        var limit = 20
        @Flag(help: "All of them.")
        var all = false
        @Flag(help: "Print CSV.")
        var csv = false
        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard limit >= 1 else { throw ValidationError("--limit: 1 or more") }
            guard !csv || !json else { throw ValidationError("--csv or --json, one of them") }
        }

        func run() async throws {
            let cluster = try await Cluster.open(installation, name: "reprise-segment")
            let reader = try await MemberReader(cluster: cluster, segment: name)
            let members = all ? try await reader.all() : try await reader.sample(limit)
            if json { return try Output.json(members) }
            if csv { return print(Self.csv(members)) }
            guard !members.isEmpty else { return print("nobody is in '\(name)'") }
            var table = TextTable([("CUSTOMER", .left), ("FIRST NAME", .left), ("E-MAIL", .left), ("PHONE", .left), ("", .left)])
            for member in members {
                table.row([
                    member.customer, member.firstName ?? "", member.email ?? "", member.phone ?? "",
                    member.isReachable ? "" : "cannot be reached",
                ])
            }
            print(table.text)
        }

        private static func csv(_ members: [SegmentMembers.Member]) -> String {
            func field(_ text: String) -> String {
                guard text.contains(where: { ",;\"\r\n".contains($0) || $0.isNewline }) else { return text }
                return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
            }
            let rows = members.map { member in
                [member.customer, member.firstName ?? "", member.email ?? "", member.phone ?? "", String(member.isReachable)]
                    .map(field).joined(separator: ",")
            }
            return (["customer,first_name,email,phone,reachable"] + rows).joined(separator: "\n")
        }
    }
}
