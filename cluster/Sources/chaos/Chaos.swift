import ArgumentParser
import Foundation

extension Fault.Kind: ExpressibleByArgument {}
extension Network.Kind: ExpressibleByArgument {}

/// Faults against a real cluster under load, and what is left checked.
@main
struct Chaos: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Do all that can go wrong to a real cluster under load, then check what is left.",
        discussion: "Started by ./cluster/chaos, which installs and builds what it needs and gives it a network of its own.")

    @Option(help: "How long faults and load go on.")
    var minutes: Double = 2
    @Option(help: "The same seed gives the same faults at the same times, and the same orders.")
    var seed: UInt64 = 1
    @Option(help: "nats-servers, each with a copy of every stream: 1 or 3.")
    var replicas: Int = 1
    @Option(help: ArgumentHelp("Only these kinds of faults, a comma between; see --list.", valueName: "kinds"))
    var faults: String?
    @Option(help: "Orders a second, all senders together.")
    var rate: Double = 60
    @Option(help: "Workers that stay; two more join and leave.")
    var workers: Int = 3
    @Option(help: "Parts that the customers are split into, a power of two.")
    var shards: Int = 8
    @Flag(help: "Print the kinds of faults and end.")
    var list = false
    @Flag(help: "Print the plan and end.")
    var plan = false
    @Flag(help: "Print the result as JSON.")
    var json = false
    @Option(help: "`namespaces` inside of network and mount namespaces made for it, otherwise `loopback`.")
    var network: Network.Kind = .loopback
    @Option(help: ArgumentHelp("Where logs, mails and streams go; must not be there yet.", valueName: "folder"))
    var folder: String = ""
    @Option(help: ArgumentHelp("The program under test.", valueName: "path"))
    var binary: String = ""
    @Option(help: ArgumentHelp("What the rolling restart changes it to; default the same.", valueName: "path"))
    var nextBinary: String?
    @Option(help: ArgumentHelp("nats-server.", valueName: "path"))
    var natsServer: String = ""
    @Option(help: ArgumentHelp("The script that starts the mailbox.", valueName: "path"))
    var mailbox: String = ""

    func validate() throws {
        guard minutes >= 0.5, minutes <= 600 else { throw ValidationError("--minutes: 0.5 to 600") }
        guard replicas == 1 || replicas == 3 else { throw ValidationError("--replicas: 1 or 3") }
        guard rate >= 1, rate <= 1000 else { throw ValidationError("--rate: 1 to 1000") }
        guard (1...16).contains(workers) else { throw ValidationError("--workers: 1 to 16") }
        _ = try kinds()
    }

    private func kinds() throws -> Set<Fault.Kind> {
        guard let faults else { return Set(Fault.Kind.allCases) }
        return try Set(
            faults.split(separator: ",").map { name in
                guard let kind = Fault.Kind(rawValue: String(name)) else {
                    throw ValidationError(
                        "--faults: '\(name)' is none of \(Fault.Kind.allCases.map(\.rawValue).joined(separator: ", "))")
                }
                return kind
            })
    }

    func run() async throws {
        if list {
            for kind in Fault.Kind.allCases {
                show(kind.rawValue.padding(toLength: 12, withPad: " ", startingAt: 0) + kind.text)
            }
            return
        }
        let topology = Topology(replicas: replicas, workers: workers)
        let board = Board()
        let possible = try kinds().filter { network == .namespaces || !($0.needsNetwork || $0.needsDisk) }
        let settings = Planner.Settings(seconds: minutes * 60, kinds: possible, rollsFirst: nextBinary != nil)
        let faults = Planner.plan(topology, seed: seed, settings)
        show(
            "seed \(seed): \(faults.count) faults in \(minutes) minutes, \(replicas) nats-server(s), hosts as \(network.rawValue)"
        )
        for fault in faults { show("  " + fault.text) }
        if plan { return }
        guard !folder.isEmpty, !binary.isEmpty, !natsServer.isEmpty, !mailbox.isEmpty else {
            throw ValidationError("--folder, --binary, --nats-server and --mailbox are wanted; ./cluster/chaos gives them")
        }
        let paths = Cluster.Paths(
            folder: URL(fileURLWithPath: folder), reprise: binary, nextReprise: nextBinary, natsServer: natsServer,
            mailbox: mailbox)
        let cluster = Cluster(
            topology: topology, network: Network(network, topology), paths: paths, shards: shards,
            diskMegabytes: 192 + Int(minutes * 24))
        let verdict = await attempt(cluster, faults, board)
        if !verdict.passed { try await keepStores(cluster) }
        tell(verdict)
        guard verdict.passed else { throw ExitCode(1) }
    }

    /// There is a verdict, whatever happens.
    private func attempt(_ cluster: Cluster, _ faults: [Fault], _ board: Board) async -> Verdict {
        let began = ContinuousClock.now
        let blank = Verdict(
            seed: seed, minutes: minutes, replicas: replicas, network: network.rawValue, serverVersions: [],
            plan: faults.map(\.text), faults: Dictionary(faults.map { ($0.kind.rawValue, 1) }, uniquingKeysWith: +))
        Watchdog.watch(seconds: minutes * 60 + Watchdog.secondsBeyond, board: board) { what in
            var verdict = blank
            verdict.violations = board.faults + [what]
            tell(verdict)
        }
        var verdict = blank
        do {
            try await ChaosRun(
                cluster: cluster, faults: faults, seed: seed, minutes: minutes, ordersPerSecond: rate, board: board
            ).run(into: &verdict)
        } catch {
            verdict.violations.append("the run broke off while \(board.phase): \(error)")
        }
        do { try await cluster.stop() } catch { verdict.violations.append("the cluster could not be ended: \(error)") }
        verdict.violations = board.faults + verdict.violations
        verdict.ownEnds = board.ended
        verdict.wallSeconds = began.duration(to: .now) / .seconds(1)
        return verdict
    }

    private func tell(_ verdict: Verdict) {
        do { show(json ? try verdict.json() : verdict.text) } catch { show("no JSON: \(error)\n" + verdict.text) }
    }

    /// At once: what follows may be cut short.
    private func show(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    /// The file systems of the nats-servers end with the namespaces.
    private func keepStores(_ cluster: Cluster) async throws {
        guard network == .namespaces else { return }
        for host in cluster.topology.hosts(.nats) {
            let kept = URL(fileURLWithPath: folder).appendingPathComponent("kept-\(host)").path
            try await Command.run(["cp", "-a", cluster.store(host).path, kept])
        }
    }
}
