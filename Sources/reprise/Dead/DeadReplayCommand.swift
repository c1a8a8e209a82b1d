import ArgumentParser
import Foundation
import Model
import Ports

struct DeadReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Hand events that were set aside to their shard once more.",
        discussion: """
            Its shard takes each of them once, however often it is replayed. One that fails again is set aside again, under \
            a new number. Exit code 2 when one cannot be replayed, failed again, or was not taken in time.
            """)

    @OptionGroup var installation: InstallationOptions
    @OptionGroup var targets: DeadTargets
    @Option(help: ArgumentHelp("Wait up to so long until they are taken.", valueName: "seconds"))
    var wait: Int = 30

    func validate() throws {
        guard wait >= 0 else { throw ValidationError("--wait: 0 seconds or more") }
    }

    func run() async throws {
        let cluster = try await Cluster.open(installation, name: "reprise-dead")
        let dead = DeadLetters(cluster)
        let book = try await dead.read()
        let letters = try targets.letters(in: book)
        var isWhole = true
        var written: [DeadLetterID] = []
        for letter in letters {
            if let problem = problem(letter) {
                Output.note("\(letter.id): \(problem)")
                isWhole = false
                continue
            }
            if case .replayed = letter.state {
                print("\(letter.id) was replayed before")
                continue
            }
            try await write(letter, cluster.logs)
            written.append(letter.id)
        }
        if !written.isEmpty, try await !report(written, dead) { isWhole = false }
        if letters.isEmpty { print("nothing is set aside") }
        guard isWhole else { throw ExitCode(2) }
    }

    private func problem(_ letter: DeadLetterBook.Letter) -> String? {
        if case .discarded(_, let reason) = letter.state { return "it was discarded: \(reason)" }
        if letter.event.message.isEmpty { return "a wake-up cannot be replayed; its rule's next occasion comes" }
        if !letter.event.isReplayable {
            return "of its \(letter.event.size) bytes only \(letter.event.message.count) were kept: it cannot be replayed"
        }
        return nil
    }

    /// Written twice, it is taken once: so what nobody answered for is written again.
    private func write(_ letter: DeadLetterBook.Letter, _ logs: any LogStore) async throws {
        let message = InputMessage.replay(of: letter.id.number, message: letter.event.message).encoded()
        let deadline = ContinuousClock.now + .seconds(max(wait, 5))
        while true {
            do throws(LogError) {
                _ = try await logs.append(to: .input(letter.id.shard), message)
                return
            } catch {
                guard error.code == .ambiguous || error.code == .unavailable, ContinuousClock.now < deadline else {
                    throw CommandError("\(letter.id): not written: \(error)")
                }
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Waits until all are taken; false when one is not, or failed again.
    private func report(_ ids: [DeadLetterID], _ dead: DeadLetters) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(wait)
        while true {
            let book = try await dead.read()
            let waiting = ids.filter { book[$0]?.state == .waiting }
            if waiting.isEmpty || ContinuousClock.now >= deadline {
                let again = Dictionary(
                    book.all.filter { $0.event.replayOf != 0 }.map {
                        (DeadLetterID(shard: $0.id.shard, number: $0.event.replayOf), $0)
                    }, uniquingKeysWith: { first, _ in first })
                for id in ids {
                    if waiting.contains(id) {
                        Output.note("\(id): written, not taken within \(wait) s; see `reprise status`")
                    } else if let letter = again[id] {
                        Output.note("\(id): set aside again as \(letter.id): \(letter.event.reason)")
                    } else {
                        print("\(id) replayed")
                    }
                }
                return waiting.isEmpty && !ids.contains { again[$0] != nil }
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}

struct DeadDiscardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard",
        abstract: "Write down that events that were set aside are not wanted.",
        discussion: "They are listed no more, except with --all, and are not replayed.")

    @OptionGroup var installation: InstallationOptions
    @OptionGroup var targets: DeadTargets
    @Option(help: ArgumentHelp("Why; it is kept beside them.", valueName: "text"))
    var why: String

    func validate() throws {
        guard !why.isEmpty, why.utf8.count <= Limits.nameBytesMax else {
            throw ValidationError("--why: 1 to \(Limits.nameBytesMax) bytes")
        }
    }

    func run() async throws {
        let cluster = try await Cluster.open(installation, name: "reprise-dead")
        let dead = DeadLetters(cluster)
        let letters = try targets.letters(in: try await dead.read())
        try await dead.discard(letters.map(\.id), reason: why)
        for letter in letters {
            print(letter.state == .waiting ? "\(letter.id) discarded" : "\(letter.id) was settled before")
        }
        if letters.isEmpty { print("nothing is set aside") }
    }
}
