import ArgumentParser
import Model

struct DeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead",
        abstract: "Events that were set aside: look at them, replay them, discard them.",
        discussion: """
            An event that cannot be applied is set aside with its reason and the others go on. It is named by its shard and \
            a number there, as 12.7.
            """,
        subcommands: [List.self, Show.self, DeadReplayCommand.self, DeadDiscardCommand.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List what waits; with --all also what was replayed or discarded.")

        @OptionGroup var installation: InstallationOptions
        @OptionGroup var selection: DeadSelection
        @Flag(help: "Also what was replayed or discarded.")
        var all = false
        @Option(help: "So many at most, the newest of each shard last.")
        var limit: Int = 100
        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard limit >= 1 else { throw ValidationError("--limit: 1 or more") }
        }

        func run() async throws {
            let cluster = try await Cluster.open(installation, name: "reprise-dead")
            let found = try await DeadLetters(cluster).read().all.filter { selection.takes($0) && (all || $0.state == .waiting) }
            if found.count > limit { Output.note("the first \(limit) of \(found.count); see --limit") }
            let shown = found.prefix(limit).map { DeadLetterView($0) }
            if json { return try Output.json(Array(shown)) }
            if shown.isEmpty { return print("nothing is set aside") }
            var table = TextTable([
                ("ID", .left), ("SET ASIDE", .left), ("WHAT", .left), ("CUSTOMER", .left), ("REASON", .left), ("STATE", .left),
            ])
            for view in shown { table.row([view.id, view.arrived, view.what, view.customer, view.reason, view.state]) }
            print(table.text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show one of them: where it stood, why it was set aside, what it says.")

        @OptionGroup var installation: InstallationOptions
        @Argument(help: "Which: its shard and number, as 12.7.")
        var id: String
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let cluster = try await Cluster.open(installation, name: "reprise-dead")
            let letter = try await DeadLetters(cluster).letter(id)
            let view = DeadLetterView(letter, withContent: true)
            if json { return try Output.json(view) }
            print(view.text)
        }
    }
}

/// Which of them a command is about.
struct DeadSelection: ParsableArguments {
    @Option(help: ArgumentHelp("Only of this shard.", valueName: "number"))
    var shard: Int?
    @Option(help: ArgumentHelp("Only those in whose reason this stands.", valueName: "text"))
    var reason: String?

    func takes(_ letter: DeadLetterBook.Letter) -> Bool {
        (shard.map { $0 == Int(letter.id.shard.number) } ?? true) && (reason.map { letter.event.reason.contains($0) } ?? true)
    }
}

/// Of commands that change some: those that are named, or all that the selection takes.
struct DeadTargets: ParsableArguments {
    @Argument(help: "Which: shard and number, as 12.7; may be several.")
    var ids: [String] = []
    @Flag(help: "All that wait; with --shard and --reason those of them.")
    var all = false
    @OptionGroup var selection: DeadSelection

    func validate() throws {
        guard ids.isEmpty == all else { throw ValidationError("name some, or give --all") }
        guard all || (selection.shard == nil && selection.reason == nil) else {
            throw ValidationError("--shard and --reason go with --all")
        }
    }

    func letters(in book: DeadLetterBook) throws -> [DeadLetterBook.Letter] {
        if all { return book.all.filter { $0.state == .waiting && selection.takes($0) } }
        return try ids.map { try DeadLetters.letter($0, in: book) }
    }
}
