internal import Foundation
internal import Logging
internal import Model
internal import Placement
internal import Ports
internal import Synchronization

/// Performs what the core decides: reads and appends COORD, sends and hears heartbeats. Safe to call from any thread.
final class Conductor: Sendable {
    /// What the core knows now.
    struct View: Sendable {
        var me: String
        var isLeading: Bool
        /// Of this coordinator when it leads, else the newest known.
        var epoch: UInt64
        var placement: PlacementRecord
        var members: [Membership.Member]
        /// Workers that are heard although a later run of their name is.
        var twins: [WorkerID]
        var heartbeats: [WorkerID: WorkerHeartbeat]
        var constraints: TakeoverConstraints

        /// Every shard that nobody can take over now, and what to do.
        var waiting: [String] {
            let living = members.filter(\.isLiving)
            let roster = Roster(alive: living.map(\.worker), placeable: living.filter { !$0.isDraining }.map(\.worker))
            return constraints.problems(roster: roster, trusted: placement.trusted)
                + placement.traps.filter(\.refuses).map { trap in
                    constraints.keepsAll(trap, roster) ? trap.problem : trap.description + "; another build may own the shard"
                }
        }
    }

    private let core: Mutex<CoordinatorCore>
    private let logs: any LogStore
    private let messaging: any Messaging
    private let clock: any WallClock
    private let progress: SumsProgress
    private let log: Logger
    /// True when this coordinator begins to lead, false when it ends. Only the newest word is kept: what came before it
    /// and was not heard is over.
    let leadership: AsyncStream<Bool>
    private let leadershipChanged: AsyncStream<Bool>.Continuation
    private let fatal = Mutex<(any Error)?>(nil)

    init(
        core: CoordinatorCore, logs: any LogStore, messaging: any Messaging, clock: any WallClock, progress: SumsProgress,
        log: Logger
    ) {
        self.core = Mutex(core)
        self.logs = logs
        self.messaging = messaging
        self.clock = clock
        self.progress = progress
        self.log = log
        (leadership, leadershipChanged) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var view: View {
        core.withLock { core in
            View(
                me: core.election.me, isLeading: core.election.leadingEpoch != nil,
                epoch: core.election.leadingEpoch ?? core.election.known.epoch, placement: core.election.placement,
                members: core.membership.all, twins: core.membership.twins, heartbeats: core.heartbeats,
                constraints: core.constraints)
        }
    }

    /// Until the task is cancelled; throws when COORD holds what this program cannot read.
    func run() async throws {
        let coordinators = try await messaging.listen("coordinator.heartbeat") { [weak self] _, payload in
            self?.heardCoordinator(payload)
        }
        defer { coordinators.close() }
        let workers = try await messaging.listen("worker.heartbeat") { [weak self] _, payload in self?.heardWorker(payload) }
        defer { workers.close() }
        defer { leadershipChanged.finish() }
        while true {
            take(.tick)
            if let error = fatal.withLock({ $0 }) { throw error }
            try await clock.sleep(until: clock.now() + Limits.placementTickMilliseconds)
        }
    }

    /// A worker is to own nothing, or may own shards again. Returns when that stands in COORD, whether it is new; throws
    /// when it cannot be.
    func drain(_ name: String, _ isDrained: Bool) async throws -> Bool {
        let before = view
        if before.placement.drained.contains(name) == isDrained { return false }
        if isDrained { try checkDrain(name, before) }
        take(.drain(name: name, isDrained: isDrained))
        let deadline = clock.now() + Self.drainMilliseconds
        while view.placement.drained.contains(name) != isDrained {
            guard clock.now() < deadline, view.isLeading else {
                throw CoordinatorProblem("COORD did not take it within \(Self.drainMilliseconds) ms; ask again")
            }
            try await clock.sleep(until: clock.now() + Limits.placementTickMilliseconds)
        }
        return true
    }

    private static let drainMilliseconds: Int64 = 4000

    private func checkDrain(_ name: String, _ view: View) throws {
        let living = view.members.filter(\.isLiving)
        guard living.contains(where: { $0.worker.name == name }) else {
            let names = living.map(\.worker.name).sorted().joined(separator: ", ")
            throw CoordinatorProblem("no worker called '\(name)' lives; there are: \(names.isEmpty ? "none" : names)")
        }
        let others = living.filter {
            !$0.isDraining && $0.worker.name != name && !view.placement.drained.contains($0.worker.name)
        }
        guard !others.isEmpty else { throw CoordinatorProblem("no other worker could take the shards of '\(name)'") }
    }

    private static let trapMilliseconds: Int64 = 4000

    /// The last word of a worker that ran a recorded commit again. Returns when it stands in COORD; throws when it does not
    /// in time.
    func trapped(_ trap: ReplayTrap) async throws {
        log.error("a worker has ended", metadata: ["because": "\(trap.description)"])
        take(.trapped(trap))
        let deadline = clock.now() + Self.trapMilliseconds
        while true {
            let view = view
            if view.placement.traps.adding(trap) == view.placement.traps { return }
            guard clock.now() < deadline, view.isLeading else {
                throw CoordinatorProblem("COORD did not take it within \(Self.trapMilliseconds) ms; say it again")
            }
            try await clock.sleep(until: clock.now() + Limits.placementTickMilliseconds)
        }
    }

    private static let trustMilliseconds: Int64 = 4000

    /// A person trusts the logs of these shards, nil = of all that wait for another brain or build. Returns when that stands in
    /// COORD; throws when it does not in time.
    func trust(_ shards: [Int]?) async throws -> TrustAnswer {
        let view = view
        let needs = view.constraints.needs
        let kept = Set(view.placement.traps.filter(\.refuses).map(\.shard)).filter { shard in
            view.placement.owners.indices.contains(shard) && view.placement.owners[shard] == nil
        }
        var answer = TrustAnswer(trusted: [], refused: [:])
        for shard in shards ?? kept.union(needs.keys).sorted() {
            if let need = needs[shard] {
                answer.trusted.append(TrustedEnd(shard: shard, commit: need.commit))
            } else if kept.contains(shard), let last = try await logs.last(of: .commits(ShardID(index: shard))) {
                answer.trusted.append(TrustedEnd(shard: shard, commit: last.sequence))
            } else {
                answer.refused[shard] = "does not wait for another brain or build"
            }
        }
        let wanted = answer.trusted
        take(.trust(wanted))
        let deadline = clock.now() + Self.trustMilliseconds
        while !wanted.allSatisfy({ isTrusted($0) }) {
            guard clock.now() < deadline, self.view.isLeading else {
                throw CoordinatorProblem("COORD did not take it within \(Self.trustMilliseconds) ms; ask again")
            }
            try await clock.sleep(until: clock.now() + 100)
        }
        return answer
    }

    /// It stands in COORD, or somebody has taken the shard with it.
    private func isTrusted(_ end: TrustedEnd) -> Bool {
        let view = view
        return view.placement.trusted.contains(end)
            || view.constraints.needs[end.shard] == nil && view.placement.owners[end.shard] != nil
    }

    private func heardCoordinator(_ payload: [UInt8]) {
        do { take(.coordinatorHeartbeat(try JSONDecoder().decode(CoordinatorHeartbeat.self, from: Data(payload)))) } catch {
            log.warning("a coordinator's heartbeat cannot be read", metadata: ["error": "\(error)"])
        }
    }

    private func heardWorker(_ payload: [UInt8]) {
        do {
            let heartbeat = try JSONDecoder().decode(WorkerHeartbeat.self, from: Data(payload))
            for shard in heartbeat.shards { progress.see(shard.commit, of: shard.shard) }
            take(.workerHeartbeat(heartbeat))
        } catch {
            log.warning("a worker's heartbeat cannot be read", metadata: ["error": "\(error)"])
        }
    }

    private func take(_ input: CoordinatorCore.Input) {
        let now = clock.now()
        let actions = core.withLock { core in
            let actions = core.take(input, now: now)
            // Inside the lock, so that beginning and end are told in order.
            for action in actions {
                switch action {
                case .lead: leadershipChanged.yield(true)
                case .stepDown: leadershipChanged.yield(false)
                case .readLast, .append, .publish, .alarm: break
                }
            }
            return actions
        }
        for action in actions { perform(action) }
    }

    private func perform(_ action: Election.Action) {
        switch action {
        case .readLast: Task { await readLast() }
        case .append(let record, let expecting): append(record, expecting: expecting)
        case .publish(let heartbeat):
            do { messaging.publish("coordinator.heartbeat", try JSON.encode(heartbeat)) } catch { fail(error) }
        case .lead(let epoch): log.notice("this coordinator leads", metadata: ["epoch": "\(epoch)"])
        case .stepDown(let reason): log.notice("this coordinator leads no more", metadata: ["reason": "\(reason)"])
        case .alarm(let text): log.critical("the coordinator's log contradicts itself", metadata: ["problem": "\(text)"])
        }
    }

    private func readLast() async {
        do {
            let last = try await logs.last(of: .coordinator)
            let record = try last.map { try JSONDecoder().decode(CoordinatorRecord.self, from: Data($0.payload)) }
            take(.lastRead(.success(Election.Known(sequence: last?.sequence ?? 0, record: record))))
        } catch let error as LogError {
            log.warning("COORD cannot be read now", metadata: ["error": "\(error)"])
            take(.lastRead(.failure(error)))
        } catch { fail(error) }
    }

    private func append(_ record: CoordinatorRecord, expecting: UInt64) {
        do {
            logs.append(to: .coordinator, try JSON.encode(record), expecting: expecting, id: nil) { [weak self, log] result in
                if case .failure(let error) = result {
                    log.info("a record of COORD was not acknowledged", metadata: ["error": "\(error)"])
                    if error.code == .full { Task { await self?.makeRoom() } }
                }
                self?.take(.appended(result))
            }
        } catch { fail(error) }
    }

    /// Who could lead only after COORD has taken a record must not wait for a leader to trim it.
    private func makeRoom() async {
        do { try await Trimming.trimCoordinator(logs) } catch {
            log.warning("COORD not trimmed", metadata: ["error": "\(error)"])
        }
    }

    private func fail(_ error: any Error) {
        fatal.withLock { $0 = error }
    }
}

struct CoordinatorProblem: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
