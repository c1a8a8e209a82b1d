internal import Foundation
package import Model
package import Ports
internal import SimulatedPorts

/// A dispatcher without a mail server: asks each shard what is open, follows its LOG from there, asks for permits, hands
/// mail over, reports. Where LOG is trimmed below it, it asks the shard anew.
///
/// Of an attempt of a run that is dead it says `uncertain`: the mail may have left, so it is never sent again.
// Sendable: used on the simulation's thread alone.
package final class SimulatedDispatcher: @unchecked Sendable {
    private struct Tracked {
        /// Where it is open: it moves when its customer is merged into another.
        var shard: ShardID
        var customer: CustomerKey
        var attempt: AttemptID?
        var holder: AttemptID?
        var askedAt = Instant.distantPast
        var isHandled = false
    }

    private struct Follower {
        /// Nil = what is open is to be asked for.
        var position: UInt64?
        /// The end of LOG when this run began: before it nothing is done.
        var target: UInt64?
        var isCaughtUp: Bool { target.map { (position ?? 0) >= $0 } ?? false }
    }

    private let host: Host
    private let installation: Installation
    private let logs: any LogStore
    private let messaging: any Messaging
    private let clock: any WallClock
    private var random: SplitMix
    private let sabotage: Sabotage?
    /// How long a mail provider takes at most, milliseconds.
    private let providerMillisecondsMax: Int64
    /// Whether a run of a dispatcher is known to be dead.
    private let isDead: (UInt64) -> Bool
    /// Takes a message: the shard, the action, the attempt.
    private let deliver: (ShardID, ActionID, AttemptID) -> Void
    private var followers: [ShardID: Follower] = [:]
    private var actions: [ActionID: Tracked] = [:]
    /// In the order in which they were met.
    private var order: [ActionID] = []
    private var attempts: UInt64 = 0

    package init(
        host: Host, installation: Installation, logs: any LogStore, messaging: any Messaging, clock: any WallClock,
        seed: UInt64, sabotage: Sabotage?, providerMillisecondsMax: Int64, isDead: @escaping (UInt64) -> Bool,
        deliver: @escaping (ShardID, ActionID, AttemptID) -> Void
    ) {
        self.host = host
        self.installation = installation
        self.logs = logs
        self.messaging = messaging
        self.clock = clock
        random = SplitMix(seed: seed)
        self.sabotage = sabotage
        self.providerMillisecondsMax = providerMillisecondsMax
        self.isDead = isDead
        self.deliver = deliver
    }

    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for shard in installation.shards.all { group.addTask { try await self.follow(shard) } }
            group.addTask { try await self.lookAgain() }
            try await group.waitForAll()
        }
    }

    private func follow(_ shard: ShardID) async throws {
        while true {
            do { try await fold(shard) } catch let error as LogError {
                if case .trimmed = error.code { followers[shard]?.position = nil }
            } catch is RequestError {
                // Shards move and workers start: no answer is nothing unusual.
            }
            try await clock.sleep(until: clock.now() + 300)
        }
    }

    private func fold(_ shard: ShardID) async throws {
        if followers[shard]?.target == nil {
            let last = try await logs.state(of: .commits(shard)).last
            followers[shard, default: Follower()].target = last
        }
        let position: UInt64
        if let known = followers[shard]?.position {
            position = known
        } else {
            guard let commit = try await load(shard) else { return }
            position = commit
        }
        let reader = try await logs.read(.commits(shard), from: position + 1)
        defer { reader.close() }
        while true {
            for record in try await reader.next(max: 16) {
                for step in try Commit.decoded(record.payload).commit.steps {
                    for effect in try step.decodedEffects() { take(effect, shard) }
                }
                followers[shard]?.position = record.sequence
            }
            act(shard)
        }
    }

    /// What is open, page after page; returns the commit to follow from, nil when the shard is just given up.
    private func load(_ shard: ShardID) async throws -> UInt64? {
        var commit: UInt64?
        var actions: [OpenActions.Action] = []
        var after: UInt32?
        repeat {
            let request = try JSONEncoder().encode(OpenActionsRequest(after: after))
            let answer = try await messaging.request("shard.\(shard.number).open", Array(request), timeout: .seconds(2))
            guard !answer.isEmpty else { return nil }
            let page = try JSONDecoder().decode(OpenActions.self, from: Data(answer))
            commit = commit ?? page.commit
            actions += page.actions
            after = page.next
        } while after != nil
        let listed = Set(actions.compactMap { ActionID(text: $0.action) })
        for id in order where self.actions[id]?.shard == shard && !listed.contains(id) {
            // One that is under way went with its customer: what becomes of it is still to be told.
            if self.actions[id]?.isHandled == false { forget(id) }
        }
        for action in actions where action.channel == Channel.email.name {
            guard let id = ActionID(text: action.action) else { throw FormatError(.invalid("open action"), at: 0) }
            track(id, shard, CustomerKey(action.customer))
            if let text = action.grantedInstance, let instance = UInt64(text, radix: 16), let number = action.grantedNumber {
                granted(id, AttemptID(instance: instance, number: number))
            }
        }
        followers[shard]?.position = commit
        return commit
    }

    private func track(_ action: ActionID, _ shard: ShardID, _ customer: CustomerKey) {
        guard actions[action] == nil else { return }
        actions[action] = Tracked(shard: shard, customer: customer)
        order.append(action)
    }

    private func forget(_ action: ActionID) {
        guard actions.removeValue(forKey: action) != nil else { return }
        order.removeAll { $0 == action }
    }

    private func granted(_ action: ActionID, _ attempt: AttemptID) {
        if actions[action]?.holder != attempt { actions[action]?.isHandled = false }
        actions[action]?.holder = attempt
    }

    private func take(_ effect: Effect, _ shard: ShardID) {
        switch effect {
        // What a late page of the open actions showed is told once more.
        case .actionOpened(let opened) where opened.channel == .email: track(opened.action, shard, opened.customer)
        case .actionMoved(let opened) where opened.channel == .email:
            track(opened.action, shard, opened.customer)
            actions[opened.action]?.shard = shard
            actions[opened.action]?.customer = opened.customer
        case .permitGranted(let grant): granted(grant.action, grant.attempt)
        case .permitDenied(let customer, let action, let attempt, let reason) where attempt.instance == host.number:
            // Closed meanwhile; unless an identifier's key has led the request to another than has the action.
            if reason == .unknownAction && customer == actions[action]?.customer { return forget(action) }
            // Asked again later, unless the action is closed, which comes next.
            actions[action]?.attempt = nil
            if reason == .quietHours { actions[action]?.askedAt = clock.now() }
        case .actionClosed(let closed): forget(closed.action)
        default: break
        }
    }

    /// Every two seconds: questions without an answer are asked again.
    private func lookAgain() async throws {
        while true {
            try await clock.sleep(until: clock.now() + 2000)
            for shard in installation.shards.all { act(shard) }
        }
    }

    private func act(_ shard: ShardID) {
        guard followers[shard]?.isCaughtUp ?? false else { return }
        for action in order {
            guard let tracked = actions[action], tracked.shard == shard, !tracked.isHandled else { continue }
            if let holder = tracked.holder { handle(holder, action, tracked, shard) } else { ask(action, tracked, shard) }
        }
    }

    private func ask(_ action: ActionID, _ tracked: Tracked, _ shard: ShardID) {
        guard clock.now() - tracked.askedAt >= 2500 else { return }
        var tracked = tracked
        attempts += tracked.attempt == nil ? 1 : 0
        let attempt = tracked.attempt ?? AttemptID(instance: host.number, number: attempts)
        tracked.attempt = attempt
        tracked.askedAt = clock.now()
        if sabotage == .noPermit {
            tracked.isHandled = true
            deliver(shard, action, attempt)
        }
        actions[action] = tracked
        Task { await self.report(.permitRequest(action: action, attempt: attempt), tracked.customer, shard, isOnce: true) }
    }

    private func handle(_ holder: AttemptID, _ action: ActionID, _ tracked: Tracked, _ shard: ShardID) {
        if holder.instance != host.number {
            guard isDead(holder.instance) else { return }
            actions[action]?.isHandled = true
            let outcome = sabotage == .sentAgain ? Outcome.failedForNow : .uncertain
            Task { await self.finish(action, holder, outcome, tracked.customer, shard) }
            return
        }
        actions[action]?.isHandled = true
        guard tracked.attempt == holder else {
            // A request that came late got a permit for an attempt that was given up: nothing left under it.
            Task { await self.finish(action, holder, .failedForNow, tracked.customer, shard) }
            return
        }
        let luck = random.next() % 100
        let outcome: Outcome = luck < 10 ? .failedForNow : luck < 15 ? .undeliverable : .sent
        Task {
            // The provider takes a while; the mail leaves on the way, and a crash may come on either side.
            let takes = 5 + Int64(luck) * self.providerMillisecondsMax / 100
            try? await self.clock.sleep(until: self.clock.now() + takes / 2)
            if outcome == .sent { self.deliver(shard, action, holder) }
            try? await self.clock.sleep(until: self.clock.now() + takes / 2)
            await self.finish(action, holder, outcome, tracked.customer, shard)
        }
    }

    private func finish(
        _ action: ActionID, _ attempt: AttemptID, _ outcome: Outcome, _ customer: CustomerKey, _ shard: ShardID
    ) async {
        let reason = outcome == .uncertain ? "the dispatcher that had the permit is gone" : ""
        let body = Event.Body.outcome(action: action, attempt: attempt, outcome: outcome, detail: reason)
        await report(body, customer, shard, isOnce: false)
        // Failed: another attempt. Uncertain and not closed by it: that attempt had failed already, as its run knew.
        guard outcome == .failedForNow || outcome == .uncertain, actions[action]?.holder == attempt else {
            return
        }
        actions[action]?.askedAt = clock.now()
        actions[action]?.isHandled = false
        actions[action]?.attempt = nil
        actions[action]?.holder = nil
    }

    /// Into IN: once, or until it is known to be there.
    private func report(_ body: Event.Body, _ customer: CustomerKey, _ shard: ShardID, isOnce: Bool) async {
        let event = Event(customer: customer, time: .distantPast, body: body)
        while true {
            do {
                _ = try await logs.append(to: .input(shard), InputMessage.events([event]).encoded())
                return
            } catch {
                if isOnce { return }
                try? await clock.sleep(until: clock.now() + 200)
            }
        }
    }
}
