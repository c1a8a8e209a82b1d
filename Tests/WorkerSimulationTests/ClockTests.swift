import Foundation
import Logging
import Model
import Ports
import SimulatedPorts
import Synchronization
import TestSupport
import Testing

@testable import Worker

@Suite("Live time: a worker's clock and the log's", .serialized, .timeLimit(.minutes(2)))
struct ClockTests {
    private let worker = WorkerID(name: "a", instance: "1")
    private static let year = 365 * Milliseconds.day

    @Test("a check agrees within two seconds, whichever way, and holds for a while")
    func watch() {
        let now = Instant(milliseconds: 1_700_000_000_000)
        var watch = ClockWatch()
        #expect(!watch.mayCommit(at: now) && watch.problem == nil, "nothing is known yet")
        for (offset, agrees) in [(0, true), (2000, true), (2001, false), (-2000, true), (-2001, false)] as [(Int64, Bool)] {
            watch.checked(began: now, logTime: now + offset, ended: now)
            #expect(watch.mayCommit(at: now) == agrees)
            #expect((watch.problem == nil) == agrees)
        }
        watch.checked(began: now, logTime: now + 10_000, ended: now + 10_000)
        #expect(watch.mayCommit(at: now + 10_000), "an answer that took long says little, but nothing against it")
        #expect(watch.mayCommit(at: now + -10_000) && watch.mayCommit(at: now))
        #expect(!watch.mayCommit(at: now + 10_001), "the clock jumped, or nobody checked")
        #expect(!watch.mayCommit(at: now + -10_001), "or it jumped back")
        watch.checked(began: now, logTime: now, ended: now + Self.year)
        #expect(!watch.mayCommit(at: now + Self.year) && watch.mayCommit(at: now), "it jumped while the log answered")
        watch.checked(began: now + Self.year, logTime: now, ended: now + Self.year)
        #expect(watch.problem?.contains("ahead of") == true && !watch.mayCommit(at: now + Self.year))
    }

    private func lapse() -> RuleSet {
        RuleSet(rules: [
            Rule(
                name: "lapse", mechanic: .timeSinceLastPurchase(afterMilliseconds: 10 * Milliseconds.day),
                postponeMilliseconds: 300 * Milliseconds.day, action: .record)
        ])
    }

    private func order(_ id: String) -> InputMessage {
        .events([
            Event(
                customer: .user("anna"), time: .distantPast,
                body: .order(OrderEvent(orderID: id, change: .placed, revenue: 1, lines: [])))
        ])
    }

    @Test("a host a year ahead commits nothing and says why; when its clock is right it begins by itself")
    func yearAhead() async throws {
        let installation = try SimulatedInstallation(shards: 1, timeMode: .live)
        let clock = SkewedClock(installation.clock, ahead: Self.year)
        let heartbeats = Heartbeats()
        let registration = try await installation.messaging.listen("worker.heartbeat") { heartbeats.take($1) }
        try await installation.apply(lapse())
        try await installation.place(alive: [worker], owners: [0])
        let running = installation.start(worker, clock: clock)
        _ = try await installation.put(order("a"), 0)
        try await heartbeats.next(20) { $0.draining && $0.shards.contains { $0.problem?.contains("ahead of the log's") == true } }
        #expect(try installation.commits(0).isEmpty, "not even a fence")
        clock.set(ahead: 0)
        _ = try await installation.awaitCommit(0) { !$0.steps.isEmpty }
        try await heartbeats.next(1) { !$0.draining && $0.shards.allSatisfy { $0.problem == nil } }
        running.cancel()
        try await running.value
        registration.close()
    }

    @Test("a clock that jumps a year in the middle fires no timer early, and goes on when it is back")
    func jump() async throws {
        let installation = try SimulatedInstallation(shards: 1, timeMode: .live)
        let clock = SkewedClock(installation.clock, ahead: 0)
        let heartbeats = Heartbeats()
        let registration = try await installation.messaging.listen("worker.heartbeat") { heartbeats.take($1) }
        try await installation.apply(lapse())
        try await installation.place(alive: [worker], owners: [0])
        let running = installation.start(worker, clock: clock)
        _ = try await installation.put(order("a"), 0)
        _ = try await installation.awaitCommit(0) { !$0.steps.isEmpty }
        clock.set(ahead: Self.year)
        try await heartbeats.next(10) { $0.draining }
        let count = try installation.commits(0).count
        _ = try await installation.put(order("b"), 0)
        try await heartbeats.next(20) { $0.draining }
        #expect(try installation.commits(0).count == count, "nothing is committed meanwhile")
        clock.set(ahead: 0)
        _ = try await installation.awaitCommit(0) { $0.steps.contains { $0.inputSequence == 2 } }
        let now = installation.clock.now()
        for commit in try installation.commits(0) {
            for step in commit.steps { #expect(step.clock <= now, "its clock never was a year ahead") }
        }
        running.cancel()
        try await running.value
        registration.close()
    }

    @Test("F2 two days without a worker: what was due comes at its pace, the latest first, and the log can be replayed")
    func outage() async throws {
        // No snapshot is ever finished: the logs stay whole, and each worker begins with the first commit.
        let installation = try SimulatedInstallation(
            shards: 1, timeMode: .live, snapshotFaults: SimulatedFaults(seed: 1, tornSnapshots: 1000))
        try await installation.apply(lapse())
        try await installation.place(alive: [worker], owners: [0])
        let first = installation.start(worker)
        let customers = 400
        for part in 0..<8 {
            let events = (0..<customers / 8).map { index in
                Event(
                    customer: .user("\(part * (customers / 8) + index)"), time: .distantPast,
                    body: .order(OrderEvent(orderID: "o", change: .placed, revenue: 1, lines: [])))
            }
            _ = try await installation.put(.events(events), 0)
            installation.clock.advance(milliseconds: Milliseconds.hour)
        }
        _ = try await installation.awaitCommit(0) { $0.steps.contains { $0.inputSequence == 8 } }
        first.cancel()
        try await first.value
        let before = try installation.commits(0).count
        installation.clock.advance(milliseconds: 12 * Milliseconds.day)
        let second = installation.start(WorkerID(name: "a", instance: "2"))
        try await installation.place(alive: [WorkerID(name: "a", instance: "2")], owners: [0])
        var opened: [ActionOpened] = []
        var portions: [Int] = []
        var seen = before
        while opened.count < customers {
            let commit = try await installation.awaitCommit(0) { $0.number > UInt64(seen) }
            seen = Int(commit.number)
            for step in commit.steps {
                if step.lateWakeUps > 0 { portions.append(Int(step.lateWakeUps)) }
                for case .actionOpened(let action) in try step.decodedEffects() { opened.append(action) }
            }
        }
        #expect(portions.allSatisfy { $0 <= Limits.latePortion } && portions.reduce(0, +) == customers)
        #expect(opened.map(\.due) == opened.map(\.due).sorted(by: >), "the latest first")
        #expect(zip(opened, opened.dropFirst()).allSatisfy { $0.decided <= $1.decided })
        #expect(opened.allSatisfy { $0.decided - $0.due > Milliseconds.day })
        // Another worker replays it all, comparing every step.
        second.cancel()
        try await second.value
        let third = installation.start(WorkerID(name: "a", instance: "3"))
        try await installation.place(alive: [WorkerID(name: "a", instance: "3")], owners: [0])
        _ = try await installation.awaitCommit(0) { $0.owner.hasSuffix("#3") }
        third.cancel()
        try await third.value
    }

    @Test("I8 I3 steps that together are too large for a commit stand in several, in order")
    func parts() {
        let sizes = [1, 100_000, Limits.stepEffectBytesMax, 0, 300_000, 400_000, 5000, Limits.stepEffectBytesMax]
        let steps = sizes.map { size in
            Step(
                inputSequence: UInt64(size), eventsThrough: 0, clock: .distantPast, wakeUps: 0, configuration: 0,
                effects: [UInt8](repeating: 0, count: size))
        }
        let parts = ShardOwner.parts(of: steps)
        #expect(parts.flatMap { $0 } == steps)
        #expect(parts.allSatisfy { part in part.reduce(0) { $0 + $1.effects.count } <= Limits.stepEffectBytesMax })
        #expect(parts.count == 4)
        #expect(ShardOwner.parts(of: []).isEmpty)
    }
}

/// A clock that differs from another by what is set.
final class SkewedClock: WallClock {
    private let base: ManualClock
    private let offset: Mutex<Int64>

    init(_ base: ManualClock, ahead: Int64) {
        self.base = base
        offset = Mutex(ahead)
    }

    func set(ahead: Int64) { offset.withLock { $0 = ahead } }
    func now() -> Instant { base.now() + offset.withLock { $0 } }
    /// Not for long, whatever the clock was when the caller read it.
    func sleep(until instant: Instant) async throws {
        let until = instant + -offset.withLock { $0 }
        try await base.sleep(until: min(until, base.now() + Milliseconds.minute))
    }
}

/// Heartbeats as they come.
final class Heartbeats: Sendable {
    private let heard = Mutex<[WorkerHeartbeat]>([])

    func take(_ payload: [UInt8]) {
        guard let heartbeat = try? JSONDecoder().decode(WorkerHeartbeat.self, from: Data(payload)) else { return }
        heard.withLock { $0.append(heartbeat) }
    }

    /// Waits until so many that satisfy the condition have come from here on.
    func next(_ count: Int, where holds: @escaping @Sendable (WorkerHeartbeat) -> Bool) async throws {
        heard.withLock { $0 = [] }
        try await eventually("\(count) such heartbeats") { self.heard.withLock { $0.count(where: holds) } >= count }
    }
}
