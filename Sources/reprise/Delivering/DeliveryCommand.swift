import ArgumentParser
import Foundation
import Model
import Ports

/// `reprise delivery`: whether messages may leave.
struct DeliveryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delivery",
        abstract: "Hold back messages to customers, let them go, and see whether they may leave.",
        discussion: """
            While delivery is held, events are applied, timers fire and actions are decided; they wait, up to their deadlines. \
            A restored installation begins like this.
            """,
        subcommands: [DeliveryStatusCommand.self, DeliveryHoldCommand.self, DeliveryReleaseCommand.self])
}

struct DeliveryStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show whether delivery is held, what waits, and what may or may not have been sent.",
        discussion: """
            An action is uncertain when somebody had the permit for it who does not live any more, as the dispatchers of an \
            installation that was restored elsewhere. A dispatcher that runs closes it as uncertain; no machine sends it again.
            """)

    @OptionGroup var installation: InstallationOptions
    @Flag(help: "Print JSON.")
    var json = false

    private struct Answer: Encodable {
        var delivery: DeliveryRecord?
        var open: OpenDeliveries
    }

    func run() async throws {
        let cluster = try await Cluster.open(installation, name: "reprise-delivery")
        let record = try await cluster.deliveryRecord()
        let open = try await OpenDeliveries.read(cluster)
        if json { return try Output.json(Answer(delivery: record, open: open)) }
        print(record?.sentence ?? "delivery: released")
        open.show()
    }
}

struct DeliveryHoldCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: "Let no message leave until it is released.",
        discussion: "Messages that are being handed over at this moment are finished; no other permit is used.")

    @OptionGroup var installation: InstallationOptions
    @Option(help: ArgumentHelp("Why; shown by `reprise status`.", valueName: "text"))
    var reason: String = "held by hand"

    func run() async throws {
        let cluster = try await Cluster.open(installation, name: "reprise-delivery")
        let record = try await cluster.changeDelivery { .held(after: $0, now: .wallClock, reason: reason) }
        print(record.sentence)
    }
}

struct DeliveryReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Let messages leave again.",
        discussion: """
            After a restore say what becomes of messages that the former installation may have sent after the backup: with \
            --uncertain-due-before every action that was due before the given time (say, when the former installation ended) is \
            closed as uncertain and not sent; with --send-all they are sent, which is right only when the former installation \
            sent nothing after the backup.
            """)

    @OptionGroup var installation: InstallationOptions
    @Option(
        help: ArgumentHelp(
            "Do not send what was due before this, as 2026-01-31T12:00:00Z; list it as uncertain.", valueName: "time"))
    var uncertainDueBefore: String?
    @Flag(help: "After a restore: the former installation sent nothing after the backup.")
    var sendAll = false

    func validate() throws {
        guard uncertainDueBefore == nil || !sendAll else {
            throw ValidationError("--uncertain-due-before or --send-all, not both")
        }
        if let text = uncertainDueBefore, Instant(text: text) == nil {
            throw ValidationError("--uncertain-due-before '\(text)': a time like 2026-01-31T12:00:00Z is wanted")
        }
    }

    func run() async throws {
        let cluster = try await Cluster.open(installation, name: "reprise-delivery")
        let bound = uncertainDueBefore.flatMap(Instant.init(text:))
        let isChosen = bound != nil || sendAll
        let open = try await OpenDeliveries.read(cluster)
        let record = try await cluster.changeDelivery { last in
            if last?.isRestored == true, !isChosen {
                throw CommandError(
                    "this installation was restored: say --uncertain-due-before TIME or --send-all; see `reprise delivery "
                        + "release --help`")
            }
            return .released(after: last, now: .wallClock, reason: "released by hand", uncertainDueBefore: bound)
        }
        print(record.sentence)
        open.show()
    }
}
