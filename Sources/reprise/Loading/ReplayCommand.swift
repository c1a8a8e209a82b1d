import ArgumentParser
import Foundation
import Model
import PurchaseFiles

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Let the days of a file of orders pass again, and show what the rules made of them.",
        discussion: """
            For an event-time installation. Day by day: the day's orders go through the gateway, then the day ends (a clock \
            record in every shard), then every message of the day gets its outcome. So the result is the same on any \
            machine, whatever fails meanwhile. Reads the files that `reprise import` reads.
            """)

    @OptionGroup var installation: InstallationOptions
    @OptionGroup var gateway: GatewayAddressOptions
    @Argument(help: "The file.", completion: .file(extensions: ["csv", "txt"]))
    var file: String?
    @Flag(help: "Instead of a file: a made-up shop with 600 customers.")
    var simulated = false
    @Option(help: "How to read the file, where the first row does not tell.")
    var format: FormatName?
    @Option(help: ArgumentHelp("Half-way, end this process with SIGKILL.", valueName: "process id"))
    var killProcess: Int32?
    @Option(help: ArgumentHelp("What to call that process.", valueName: "name"))
    var killName: String = "a worker"
    @Flag(help: ArgumentHelp("Only name a customer to look at.", visibility: .hidden))
    var printExample = false
    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard (file == nil) == simulated else { throw ValidationError("a file or --simulated is wanted, one of them") }
        guard killProcess ?? 2 > 1 else { throw ValidationError("--kill-process: a process id above 1") }
    }

    func run() async throws {
        let (purchases, broken) = try read()
        guard !purchases.isEmpty else { throw CommandError("\(file ?? "the shop") holds no orders") }
        if printExample { return print(Self.example(purchases)) }
        name(broken)

        let cluster = try await Cluster.open(installation, name: "reprise-replay")
        try cluster.requireEventTime()
        let days = PurchaseDays(purchases)
        var driver = DayDriver(
            connection: try gateway.connection(), clock: EventClock(shards: cluster.installation.shards, logs: cluster.logs),
            progress: ShardProgress(messaging: cluster.messaging))
        var bar = ProgressBar(total: days.count)
        for index in 0..<days.count {
            if index == days.count / 2, let killProcess { try kill(killProcess, &bar) }
            try await driver.pass(days.purchases(index), endingAt: days.end(index))
            bar.show(index + 1, "\(CalendarDate.day(days.end(index - 1)))  \(Figures.count(driver.sent)) orders")
        }
        bar.finish()
        name(driver.refused)
        let report = try await cluster.coordinator.mechanics(containing: driver.commits)
        if json { try Output.json(report) } else { print("\n" + MechanicsTable.text(report)) }
        if !broken.isEmpty || !driver.refused.isEmpty { throw ExitCode(2) }
    }

    private func name(_ rows: [BrokenRow]) {
        for row in rows.prefix(20) { Output.note("\(file ?? "the shop"): \(row)") }
        if rows.count > 20 { Output.note("… and \(rows.count - 20) more rows") }
    }

    private func read() throws -> ([Purchase], [BrokenRow]) {
        guard let file else { return (SimulatedShop.purchases(), []) }
        guard let data = FileManager.default.contents(atPath: file) else { throw CommandError("'\(file)' cannot be read") }
        var reader = PurchaseReader(format: format?.format)
        var purchases: [Purchase] = []
        var broken: [BrokenRow] = []
        do {
            for element in try reader.read(Array(data)) + reader.finish() {
                switch element {
                case .success(let purchase): purchases.append(purchase)
                case .failure(let row): broken.append(row)
                }
            }
        } catch {
            throw CommandError("\(file): \(error)")
        }
        return (purchases, broken)
    }

    private func kill(_ process: Int32, _ bar: inout ProgressBar) throws {
        guard Foundation.kill(process, SIGKILL) == 0 else {
            throw CommandError("process \(process) (\(killName)) cannot be killed: error \(errno)")
        }
        bar.say("   \(killName) (process \(process)) was killed with -9; the others take over its shards")
    }

    /// A customer worth a look: of those with at most six orders one with the most, the least id.
    private static func example(_ purchases: [Purchase]) -> String {
        var counts: [String: Int] = [:]
        for purchase in purchases { counts[purchase.customerID, default: 0] += 1 }
        let few = counts.filter { $0.value <= 6 }
        return (few.isEmpty ? counts : few).min { ($1.value, $0.key) < ($0.value, $1.key) }?.key ?? ""
    }
}

/// Purchases by day, UTC, from the first to the last; those of a day in the file's order.
struct PurchaseDays {
    private let first: Instant
    private var days: [[Purchase]]

    /// Traps when there are none.
    init(_ purchases: [Purchase]) {
        let times = purchases.map(\.time)
        guard let first = times.min(), let last = times.max() else { preconditionFailure("no purchases") }
        self.first = CalendarDate.startOfDay(first)
        days = Array(repeating: [], count: Int((CalendarDate.startOfDay(last) - self.first) / Milliseconds.day) + 1)
        for purchase in purchases {
            days[Int((CalendarDate.startOfDay(purchase.time) - self.first) / Milliseconds.day)].append(purchase)
        }
        // A file need not be in the order of time; what happened at one time stays in the file's order.
        for index in days.indices {
            days[index] = days[index].enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(
                \.element)
        }
    }

    var count: Int { days.count }
    func purchases(_ day: Int) -> [Purchase] { days[day] }
    /// The midnight after it.
    func end(_ day: Int) -> Instant { first + Int64(day + 1) * Milliseconds.day }
}

/// Passes one day: its events, its end, its outcomes.
struct DayDriver {
    let connection: GatewayConnection
    let clock: EventClock
    let progress: ShardProgress
    private(set) var sent = 0
    /// Events that the gateway did not take.
    private(set) var refused: [BrokenRow] = []
    /// The last commit of each shard that is known, by shard number.
    private(set) var commits: [Int: UInt64] = [:]
    private var known: Set<String> = []

    init(connection: GatewayConnection, clock: EventClock, progress: ShardProgress) {
        self.connection = connection
        self.clock = clock
        self.progress = progress
    }

    mutating func pass(_ purchases: [Purchase], endingAt end: Instant) async throws {
        var batch = SegmentBatch()
        for purchase in purchases {
            if known.insert(purchase.customerID).inserted { batch.identify(purchase) }
            batch.orderCompleted(purchase)
            if batch.count >= 1000 { try await send(&batch) }
        }
        try await send(&batch)
        sent += purchases.count
        commits = try await progress.reached(clock.advance(to: end))
    }

    private mutating func send(_ batch: inout SegmentBatch) async throws {
        guard batch.count > 0 else { return }
        for rejection in try await connection.send(batch.body()) where batch.events.indices.contains(rejection.index) {
            refused.append(BrokenRow(row: batch.events[rejection.index].row, reason: rejection.reason))
        }
        batch = SegmentBatch()
    }
}
