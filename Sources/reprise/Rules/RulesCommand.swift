import ArgumentParser
import ConfigurationFiles
import Foundation
import Model
import Ports

struct RulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "Check, apply and show rules, segments, templates and settings.",
        discussion: """
            Files are YAML; all files named together are the whole configuration. docs/examples holds some that are \
            explained line by line.
            """,
        subcommands: [Check.self, Apply.self, Show.self])

    struct FileOptions: ParsableArguments {
        @Option(
            name: [.customShort("f"), .customLong("file")],
            help: ArgumentHelp(
                "A file, or a folder with all its .yaml and .yml files. May be given more than once.", valueName: "path"),
            completion: .file(extensions: ["yaml", "yml"]))
        var files: [String]

        /// Prints what is wrong, a line each: file, line, column, field, what is allowed.
        func load() throws -> RuleSet {
            do {
                return try ConfigurationFiles.load(paths: files)
            } catch {
                for problem in error.problems { Output.note(problem.description) }
                let count = error.problems.count
                throw CommandError("nothing was applied: \(count) \(count == 1 ? "thing is" : "things are") wrong in the files")
            }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Say whether files could be applied, without applying them.")

        @OptionGroup var files: FileOptions

        func run() async throws { print("good: \(RuleSetText.counts(try files.load()))") }
    }

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "apply",
            abstract: "Make files the installation's configuration.",
            discussion: """
                They replace what was applied before, as a whole and with a revision of its own. Files with a mistake change \
                nothing. Files that change nothing make no revision.
                """)

        @OptionGroup var installation: InstallationOptions
        @OptionGroup var files: FileOptions
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let set = try files.load()
            let cluster = try await Cluster.open(installation, name: "reprise-rules")
            let applied: AppliedRules
            do throws(ApplyingFault) {
                applied = try await cluster.logs.apply(set)
            } catch {
                guard error == .overtaken else { throw CommandError("the rules were not applied: \(error)") }
                throw CommandError("somebody else applied rules at this moment; see `reprise rules show`, then apply again")
            }
            if json { return try Output.json(RuleSetText.Summary(applied.rules)) }
            let revision = applied.rules.revision
            print("\(applied.isNew ? "applied as" : "unchanged,") revision \(revision): \(RuleSetText.counts(set))")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show what is applied now.")

        @OptionGroup var installation: InstallationOptions
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let cluster = try await Cluster.open(installation, name: "reprise-rules")
            guard let record = try await cluster.logs.last(of: .configuration) else {
                throw CommandError("no rules are applied yet; `reprise rules apply -f FOLDER` does it")
            }
            let set = try RuleSet.decoded(record.payload, revision: record.sequence)
            if json { try Output.json(RuleSetText.Summary(set)) } else { print(RuleSetText.text(set)) }
        }
    }
}

/// A rule set for a terminal.
enum RuleSetText {
    struct Summary: Encodable {
        struct Rule: Encodable {
            var name: String
            var title: String
            var mechanic: String
            var enabled: Bool
            var channel: String
            var conversionWindowMilliseconds: Int64?
        }

        var revision: UInt64
        var currency: String
        var timeZone: String
        var rules: [Rule]
        var segments: [String]
        var templates: [String]

        init(_ set: RuleSet) {
            revision = set.revision
            currency = set.currency
            timeZone = set.zone.name
            rules = set.rules.map {
                Rule(
                    name: $0.name, title: $0.title, mechanic: $0.mechanic.name, enabled: $0.enabled,
                    channel: $0.action.channel.name,
                    conversionWindowMilliseconds: $0.conversion?.windowMilliseconds)
            }
            segments = set.segments.map(\.name)
            templates = set.templates.map(\.name)
        }
    }

    static func counts(_ set: RuleSet) -> String {
        "\(set.rules.count) rules, \(set.segments.count) segments, \(set.templates.count) templates"
    }

    static func text(_ set: RuleSet) -> String {
        var table = TextTable([
            ("RULE", .left), ("TITLE", .left), ("MECHANIC", .left), ("BY", .left), ("STATE", .left), ("WINDOW", .right),
        ])
        for rule in set.rules {
            let window = rule.conversion.map { "\($0.windowMilliseconds / Milliseconds.day) d" } ?? "-"
            table.row([rule.name, rule.title, rule.mechanic.name, rule.action.channel.name, rule.enabled ? "on" : "off", window])
        }
        return "revision \(set.revision), \(set.currency), \(set.zone.name): \(counts(set))\n\n" + table.text
    }
}
