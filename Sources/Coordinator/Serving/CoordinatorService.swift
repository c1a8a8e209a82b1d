internal import Foundation
internal import Logging
internal import Model
internal import Placement
internal import Ports

/// Answers what others ask of the leader. Registered only while this coordinator leads.
struct CoordinatorService: Sendable {
    let conductor: Conductor
    let database: SumsDatabase
    let progress: SumsProgress
    let configuration: ConfigurationFollower
    let installation: Installation
    let messaging: any Messaging
    let clock: any WallClock
    let log: Logger

    /// How long `coordinator.caughtup` may wait at most.
    static let caughtUpMillisecondsMax = 10 * Milliseconds.minute

    func register() async throws -> [any Registration] {
        var registrations: [any Registration] = []
        do {
            registrations.append(try await serve("coordinator.status") { _ in status() })
            registrations.append(try await serve("coordinator.mechanics") { _ in try await mechanics() })
            registrations.append(try await serve("coordinator.segments") { _ in try await segments() })
            registrations.append(try await serve("coordinator.orders") { try await orders(decode($0)) })
            registrations.append(try await serve("coordinator.caughtup") { try await caughtUp(decode($0)) })
            registrations.append(
                try await serve("coordinator.trust") {
                    let request: TrustRequest = try decode($0)
                    return try await conductor.trust(request.shards)
                })
            registrations.append(
                try await serve("coordinator.trapped") {
                    let report: ReplayTrapReport = try decode($0)
                    try await conductor.trapped(report.trap)
                    return report
                })
            registrations.append(try await serve("coordinator.drain") { try await drain(decode($0)) })
            registrations.append(try await serve("coordinator.reconcile") { _ in try await database.reconcile() })
        } catch {
            for registration in registrations { registration.close() }
            throw error
        }
        return registrations
    }

    func status() -> ClusterStatus {
        let view = conductor.view
        let now = clock.now()
        let workers = view.members.map { member in
            let heartbeat = view.heartbeats[member.worker]
            return ClusterStatus.Worker(
                id: member.worker, brain: heartbeat?.brain, alive: member.isLiving,
                draining: member.isDraining || view.placement.drained.contains(member.worker.name),
                lastHeardMillisecondsAgo: max(0, now - member.lastHeard),
                shards: heartbeat?.shards ?? [], residentBytes: heartbeat?.residentBytes ?? 0)
        }
        return ClusterStatus(
            coordinator: view.me, epoch: view.epoch, shards: installation.shards.shards,
            timeMode: installation.timeMode == .live ? "live" : "event-time", placement: view.placement, workers: workers,
            faults: view.twins.map { "\($0) runs, and so does another worker of that name: stop one, or rename it" }
                + view.waiting,
            sumsLagCommits: progress.lag, sumsProblems: progress.problems.sorted { $0.key < $1.key }.map(\.value))
    }

    func drain(_ request: DrainRequest) async throws -> DrainAnswer {
        DrainAnswer(isNew: try await conductor.drain(request.worker, request.isDrained))
    }

    func mechanics() async throws -> MechanicsReport {
        // The lag first: what is added meanwhile makes the report newer than it says, never older.
        let lag = progress.lag
        return MechanicsReport(try await database.totals(), rules: configuration.rules, lag: lag)
    }

    func segments() async throws -> SegmentsReport {
        let lag = progress.lag
        return SegmentsReport(try await database.totals(), rules: configuration.rules, lag: lag)
    }

    func orders(_ request: OrdersRequest) async throws -> AttributedOrders {
        guard let rule = configuration.rule(request.rule) else {
            throw Refusal("no rule is called '\(request.rule)'; give a name of the configuration or a number")
        }
        guard (1...AttributedOrders.pageMax).contains(request.limit) else {
            throw Refusal("limit \(request.limit): allowed are 1 to \(AttributedOrders.pageMax)")
        }
        let cursor =
            request.after?.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init) ?? ["", ""]
        guard cursor.count == 2 else { throw Refusal("after '\(request.after ?? "")' is not the next of a page") }
        var orders = try await database.orders(of: rule, after: (cursor[0], cursor[1]), limit: request.limit + 1)
        let hasMore = orders.count > request.limit
        if hasMore { orders.removeLast() }
        let next = hasMore ? orders.last.map { $0.action + "/" + $0.order } : nil
        return AttributedOrders(rule: request.rule, orders: orders, next: next)
    }

    func caughtUp(_ request: CaughtUpRequest) async throws -> CaughtUpAnswer {
        let shards = 0..<installation.shards.shards
        if let unknown = request.commits.keys.first(where: { !shards.contains($0) }) {
            throw Refusal("shard \(unknown): there are 0 to \(shards.upperBound - 1)")
        }
        guard (0...Self.caughtUpMillisecondsMax).contains(request.timeoutMilliseconds) else {
            throw Refusal("timeoutMilliseconds \(request.timeoutMilliseconds): allowed are 0 to \(Self.caughtUpMillisecondsMax)")
        }
        for (shard, number) in request.commits { progress.see(number, of: shard) }
        let deadline = clock.now() + request.timeoutMilliseconds
        let reached = await progress.wait(for: request.commits, until: deadline, clock: clock)
        return CaughtUpAnswer(
            reached: reached, commits: progress.contained(of: request.commits.keys),
            problems: progress.problems.filter { request.commits[$0.key] != nil })
    }

    /// A question that cannot be answered; the text goes to who asked.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private func decode<Request: Decodable>(_ bytes: [UInt8]) throws -> Request {
        do { return try JSONDecoder().decode(Request.self, from: Data(bytes)) } catch {
            throw Refusal("the request is not a \(Request.self) as JSON: \(error)")
        }
    }

    private func serve(
        _ subject: String, _ answer: @escaping @Sendable ([UInt8]) async throws -> any Encodable & Sendable
    ) async throws -> any Registration {
        try await messaging.serve(subject) { request in
            do { return try JSON.encode(await answer(request)) } catch {
                log.warning("a question could not be answered", metadata: ["subject": "\(subject)", "error": "\(error)"])
                return JSON.problem("\(error)")
            }
        }
    }
}

enum JSON {
    static func encode(_ value: any Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    static func problem(_ text: String) -> [UInt8] {
        do { return try encode(RequestProblem(error: text)) } catch { return Array(#"{"error":"internal"}"#.utf8) }
    }
}
