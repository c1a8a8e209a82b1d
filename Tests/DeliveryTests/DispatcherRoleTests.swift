import Curl
import Foundation
import Logging
import Model
import Ports
import SimulatedPorts
import Synchronization
import Testing

@testable import Delivery

/// The real time of day: these tests talk to real servers.
private struct RealClock: WallClock {
    func now() -> Instant { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
    func sleep(until instant: Instant) async throws {
        try await ContinuousClock().sleep(for: .milliseconds(max(0, instant - now())))
    }
}

/// One shard that answers through logs and messaging, as a worker would.
private actor FakeWorker {
    private let shard: ShardID
    private let logs: SimulatedLogStore
    private var state = FakeShard()
    private var number: UInt64 = 0
    private var hash: UInt128 = 0
    private var waiters: [CheckedContinuation<Void, Never>] = []

    init(_ shard: ShardID, logs: SimulatedLogStore) {
        self.shard = shard
        self.logs = logs
        state.fields = [Trait("customer.name", "Anna <b>")]
    }

    func run(_ messaging: SimulatedMessaging) async throws {
        let serving = try await messaging.serve("shard.\(shard).open") { await self.answer($0) }
        defer { serving.close() }
        let reader = try await logs.read(.input(shard), from: 1)
        while true {
            for record in try await reader.next(max: 100) {
                guard case .events(let events) = try InputMessage.decoded(record.payload) else { continue }
                await commit(events.flatMap { state.apply($0) })
            }
        }
    }

    func open(_ action: ActionID, _ customer: CustomerKey) async {
        await commit(state.open(action, customer, deadline: Instant(milliseconds: 1)))
    }

    private func commit(_ effects: [Effect]) async {
        guard !effects.isEmpty else { return }
        var writer = ByteWriter()
        for effect in effects { effect.write(to: &writer) }
        number += 1
        let commit = Commit(
            kind: .steps, shard: shard, epoch: 1, number: number, previousHash: hash, brain: 1, owner: "test",
            steps: [
                Step(
                    inputSequence: 0, eventsThrough: 0, clock: Instant(milliseconds: 1), wakeUps: 0, configuration: 1,
                    effects: writer.bytes)
            ]
        ).encoded()
        hash = commit.hash
        // Not awaited: the order of the calls is the order in the log, and this shard's answers must not overtake it.
        logs.append(to: .commits(shard), commit.bytes, expecting: nil, id: nil) { _ in }
        if state.listed.isEmpty {
            for waiter in waiters { waiter.resume() }
            waiters = []
        }
    }

    /// Two actions a page.
    private func answer(_ payload: [UInt8]) -> [UInt8] {
        let after = try? JSONDecoder().decode(OpenActionsRequest.self, from: Data(payload)).after
        let first = after.map { Int($0) + 1 } ?? 0
        let listed = state.listed
        let actions = listed.dropFirst(first).prefix(2).map {
            OpenActions.Action(
                action: $0.action.description, customer: $0.customer.text, rule: $0.rule.number, channel: $0.channel.name,
                deadlineMilliseconds: $0.deadline.milliseconds,
                grantedInstance: $0.holder.map { String($0.instance, radix: 16) }, grantedNumber: $0.holder?.number)
        }
        guard
            let answer = try? JSONEncoder().encode(
                OpenActions(commit: number, actions: actions, next: first + 2 < listed.count ? UInt32(first + 1) : nil))
        else { return [] }
        return Array(answer)
    }

    /// Returns when no action is open.
    func allClosed() async {
        if state.listed.isEmpty { return }
        await withCheckedContinuation { waiters.append($0) }
    }

    var outcomes: [ActionID: FakeShard.State] { state.actions.mapValues(\.state) }
}

private final class Installation: Sendable {
    let shards: ShardMap
    let logs: SimulatedLogStore
    let messaging: SimulatedMessaging
    let workers: [FakeWorker]
    private let running: Mutex<[Task<Void, any Error>]> = Mutex([])

    init(shards count: Int, faults: SimulatedFaults = .none) async throws {
        shards = try #require(ShardMap(shards: count))
        let logs = SimulatedLogStore(clock: RealClock())
        let messaging = SimulatedMessaging(clock: RealClock())
        let rules = RuleSet(
            templates: [
                MessageTemplate(
                    name: "hello", subject: "Hello {{ customer.name }}", text: "Hi {{ customer.name }}\n",
                    html: "<p>{{ customer.name }}</p>\n", from: "Shop <shop@example.org>")
            ])
        _ = try await logs.append(to: .configuration, rules.encoded())
        logs.setFaults(faults)
        self.logs = logs
        self.messaging = messaging
        workers = shards.all.map { FakeWorker($0, logs: logs) }
        let tasks = workers.map { worker in Task { try await worker.run(messaging) } }
        running.withLock { $0 = tasks }
    }

    deinit { running.withLock { $0.forEach { $0.cancel() } } }

    func dispatcher(port: Int, instance: UInt64) -> Task<Void, any Error> {
        var options = DispatcherOptions(
            shards: shards, smtp: SMTPOptions(host: "127.0.0.1", port: port, connections: 4), instance: instance)
        options.stopTimeoutMilliseconds = 20_000
        let (fixed, logs, messaging) = (options, logs, messaging)
        return Task {
            try await DispatcherRole.run(
                options: fixed, logs: logs, messaging: messaging, clock: RealClock(), log: Logger(label: "dispatcher"))
        }
    }

    func status() async throws -> DispatcherStatus {
        let answer = try await messaging.request("dispatcher.status", [], timeout: .seconds(5))
        return try JSONDecoder().decode(DispatcherStatus.self, from: Data(answer))
    }
}

@Suite(.timeLimit(.minutes(3)), .serialized) struct DispatcherRoleTests {
    static func mailbox(_ folder: ScratchFolder) async throws -> PythonServer {
        try await PythonServer("cluster/lib/mailbox", ["--port", "0", "--maildir", folder.path("mail")])
    }

    /// How often each action's message lies in the mailbox.
    static func delivered(_ folder: ScratchFolder) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path("mail/new")) {
            let text = try String(contentsOfFile: folder.path("mail/new/" + file), encoding: .utf8)
            let line = try #require(text.split(separator: "\r\n").first { $0.hasPrefix("X-Reprise-Action: ") })
            counts[String(line.dropFirst(18)), default: 0] += 1
        }
        return counts
    }

    @Test("I11 I7 through logs that fail now and then, into a real mailbox: each message once", arguments: [1, 2])
    func throughFaults(dispatchers: Int) async throws {
        let folder = try ScratchFolder()
        let server = try await Self.mailbox(folder)
        // The workers' commits must get through as they are; faults hit what dispatchers write.
        let installation = try await Installation(shards: 4)
        for shard in installation.shards.all {
            for _ in 0..<3 {
                installation.logs.script(.writtenAmbiguous, on: .input(shard))
                installation.logs.script(.lostAmbiguous, on: .input(shard))
                installation.logs.script(.unavailable, on: .input(shard))
                installation.logs.script(.late, on: .input(shard))
            }
        }
        for index in 0..<60 { await installation.workers[index % 4].open(ActionID(UInt128(index + 1)), .user("c\(index)")) }
        let roles = (0..<dispatchers).map { installation.dispatcher(port: server.port, instance: UInt64($0 + 1)) }
        for index in 60..<120 { await installation.workers[index % 4].open(ActionID(UInt128(index + 1)), .user("c\(index)")) }
        for worker in installation.workers { await worker.allClosed() }
        if dispatchers == 1 {
            let status = try await installation.status()
            #expect(status.sent == 120)
            #expect(status.queued == 0)
        }
        for role in roles { role.cancel() }
        for role in roles { try await role.value }
        for worker in installation.workers {
            #expect(await worker.outcomes.values.allSatisfy { $0 == .closed(.sent) })
        }
        let delivered = try Self.delivered(folder)
        #expect(delivered.count == 120)
        #expect(delivered.values.allSatisfy { $0 == 1 })
    }

    @Test("I11 a permit that another run left behind becomes uncertain; what it never held is sent")
    func restart() async throws {
        let folder = try ScratchFolder()
        let server = try await Self.mailbox(folder)
        let installation = try await Installation(shards: 1)
        let gone = AttemptID(instance: 77, number: 3)
        await installation.workers[0].open(ActionID(1), .user("a"))
        await installation.workers[0].open(ActionID(2), .user("b"))
        let request = Event(customer: .user("a"), time: .distantPast, body: .permitRequest(action: ActionID(1), attempt: gone))
        _ = try await installation.logs.append(to: .input(ShardID(0)), InputMessage.events([request]).encoded())
        let role = installation.dispatcher(port: server.port, instance: 5)
        await installation.workers[0].allClosed()
        role.cancel()
        try await role.value
        #expect(await installation.workers[0].outcomes == [ActionID(1): .closed(.uncertain), ActionID(2): .closed(.sent)])
        #expect(try Self.delivered(folder) == [ActionID(2).description: 1])
    }

    @Test("E2 E5 what cannot be rendered or addressed ends with its reason")
    func undeliverable() async throws {
        let folder = try ScratchFolder()
        let server = try await Self.mailbox(folder)
        let installation = try await Installation(shards: 1)
        await installation.workers[0].open(ActionID(1), .user("not an address "))
        let role = installation.dispatcher(port: server.port, instance: 5)
        await installation.workers[0].allClosed()
        let status = try await installation.status()
        role.cancel()
        try await role.value
        #expect(status.undeliverable == 1)
        #expect(status.lastError.contains("not an e-mail address"))
        #expect(await installation.workers[0].outcomes == [ActionID(1): .closed(.undeliverable)])
    }
}
