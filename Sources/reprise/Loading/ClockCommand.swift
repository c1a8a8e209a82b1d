import ArgumentParser
import Foundation
import Model
import PurchaseFiles

struct ClockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clock", abstract: "The clock of an event-time installation.", subcommands: [Advance.self])

    struct Advance: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "advance",
            abstract: "Say what time it is: timers that are due by then run.",
            discussion: """
                Writes a clock record to every shard, behind all events that were accepted so far and what shards have to \
                tell each other because of them. Time never goes back: a record before the shard's clock changes nothing.
                """)

        @OptionGroup var installation: InstallationOptions
        @Option(help: ArgumentHelp("The time, as 2024-05-31T18:30:00Z; a day alone is its noon, UTC.", valueName: "time"))
        var to: String
        @Flag(help: "Return only when every shard has come that far and no action is left without an outcome.")
        var wait = false
        @Flag(help: "Print JSON.")
        var json = false

        private struct Answer: Encodable {
            var time: String
            var inputSequences: [UInt64]
        }

        func run() async throws {
            guard let instant = CalendarDate.instant(to) else {
                throw ValidationError("--to '\(to)': a time between 1980 and 2099 is wanted, as 2024-05-31T18:30:00Z")
            }
            let cluster = try await Cluster.open(installation, name: "reprise-clock")
            try cluster.requireEventTime()
            let progress = ShardProgress(messaging: cluster.messaging)
            try await progress.settled(cluster.installation.shards, logs: cluster.logs)
            let sequences = try await EventClock(shards: cluster.installation.shards, logs: cluster.logs).advance(to: instant)
            if wait { try await progress.reached(sequences) }
            if json {
                try Output.json(Answer(time: CalendarDate.text(instant), inputSequences: sequences))
            } else {
                print("it is \(CalendarDate.text(instant)) for \(sequences.count) shards")
            }
        }
    }
}
