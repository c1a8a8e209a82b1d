import Model
import Ports
import SimulatedPorts
import Testing

@testable import Coordinator

@Suite struct ElectionTests {
    let start = Instant(milliseconds: 1_000_000)
    let none = PlacementRecord(alive: [], owners: [nil, nil])

    func election(_ name: String = "a", instance: String = "1") -> Election {
        Election(name: name, instance: instance, shards: 2, now: start)
    }

    func record(_ epoch: UInt64, _ who: String, _ placement: PlacementRecord? = nil) -> CoordinatorRecord {
        CoordinatorRecord(epoch: epoch, coordinator: who, placement: placement ?? none)
    }

    func leader() -> Election {
        var election = election()
        _ = election.tick(now: start)
        _ = election.lastRead(.success(.nothing), now: start)
        _ = election.appended(.success(1), now: start)
        return election
    }

    @Test func `with nobody before, a candidate claims at once`() {
        var election = election()
        #expect(election.tick(now: start) == [.readLast])
        #expect(election.tick(now: start + 500) == [])
        #expect(election.lastRead(.success(.nothing), now: start) == [.append(record(1, "a#1"), expecting: 0)])
        #expect(election.leadingEpoch == nil)
        #expect(
            election.appended(.success(1), now: start) == [
                .lead(epoch: 1), .publish(CoordinatorHeartbeat(coordinator: "a#1", epoch: 1)),
            ])
        #expect(election.leadingEpoch == 1)
    }

    @Test func `F5 a candidate waits for the leader's silence, then claims what it read last`() {
        var election = election("b")
        _ = election.tick(now: start)
        let last = Election.Known(sequence: 9, record: record(4, "a#1"))
        #expect(election.lastRead(.success(last), now: start) == [])
        for time in stride(from: Int64(500), through: 2500, by: 500) { #expect(election.tick(now: start + time) == []) }
        #expect(election.heard(CoordinatorHeartbeat(coordinator: "a#1", epoch: 4), now: start + 2600) == [])
        for time in stride(from: Int64(3000), through: 5500, by: 500) { #expect(election.tick(now: start + time) == []) }
        #expect(election.tick(now: start + 6000) == [.readLast])
        #expect(election.lastRead(.success(last), now: start + 6000) == [.append(record(5, "b#1"), expecting: 9)])
    }

    @Test func `a candidate whose leader wrote meanwhile goes on following`() {
        var election = election("b")
        _ = election.tick(now: start)
        _ = election.lastRead(.success(.init(sequence: 9, record: record(4, "a#1"))), now: start)
        for time in stride(from: Int64(500), through: 3000, by: 500) { _ = election.tick(now: start + time) }
        #expect(election.lastRead(.success(.init(sequence: 10, record: record(4, "a#1"))), now: start + 3000) == [])
        #expect(election.role == .following(lastHeard: start + 3000))
    }

    @Test func `a restarted coordinator takes over from its own last run at once`() {
        var election = election(instance: "2")
        _ = election.tick(now: start)
        let last = Election.Known(sequence: 9, record: record(4, "a#1"))
        #expect(election.lastRead(.success(last), now: start) == [.append(record(5, "a#2"), expecting: 9)])
    }

    @Test func `I2 a refused claim reads back, and follows whoever was faster`() {
        var election = election("b")
        _ = election.tick(now: start)
        _ = election.lastRead(.success(.nothing), now: start)
        #expect(election.appended(.failure(LogError(.refused, "")), now: start) == [.readLast])
        #expect(election.lastRead(.success(.init(sequence: 1, record: record(1, "a#1"))), now: start) == [])
        #expect(election.role == .following(lastHeard: start))
    }

    @Test func `a claim without an answer is read back, written or not`() {
        var written = election()
        _ = written.tick(now: start)
        _ = written.lastRead(.success(.nothing), now: start)
        #expect(written.appended(.failure(LogError(.ambiguous, "")), now: start) == [.readLast])
        #expect(written.lastRead(.success(.init(sequence: 1, record: record(1, "a#1"))), now: start).first == .lead(epoch: 1))

        var lost = election()
        _ = lost.tick(now: start)
        _ = lost.lastRead(.success(.nothing), now: start)
        _ = lost.appended(.failure(LogError(.ambiguous, "")), now: start)
        #expect(lost.lastRead(.failure(LogError(.unavailable, "")), now: start) == [])
        #expect(lost.tick(now: start + 500) == [.readLast])
        #expect(lost.lastRead(.success(.nothing), now: start + 500) == [])
        #expect(lost.tick(now: start + 1000) == [.append(record(1, "a#1"), expecting: 0)])
        #expect(lost.appended(.success(1), now: start + 1000).first == .lead(epoch: 1))
    }

    @Test func `a leader publishes heartbeats and placements, one record at a time`() {
        var election = leader()
        #expect(election.tick(now: start + 500) == [.publish(CoordinatorHeartbeat(coordinator: "a#1", epoch: 1))])
        let placement = PlacementRecord(alive: [WorkerID(name: "w", instance: "1")], owners: [0, 0])
        #expect(election.propose(placement) == [.append(record(1, "a#1", placement), expecting: 1)])
        #expect(election.propose(none) == [])
        #expect(election.appended(.success(2), now: start) == [])
        #expect(election.placement == placement)
        #expect(election.propose(none) == [.append(record(1, "a#1", none), expecting: 2)])
    }

    @Test func `I2 a leader yields to a higher epoch only: heard, or read back`() {
        var hearing = leader()
        #expect(hearing.heard(CoordinatorHeartbeat(coordinator: "b#1", epoch: 1), now: start) == [])
        #expect(
            hearing.heard(CoordinatorHeartbeat(coordinator: "b#1", epoch: 2), now: start) == [.stepDown("b#1 leads with epoch 2")]
        )

        var refused = leader()
        _ = refused.propose(PlacementRecord(alive: [], owners: [nil]))
        #expect(refused.appended(.failure(LogError(.refused, "")), now: start) == [.readLast])
        let successor = Election.Known(sequence: 2, record: record(2, "b#1"))
        #expect(refused.lastRead(.success(successor), now: start) == [.stepDown("b#1 wrote record 2 with epoch 2")])
        #expect(refused.leadingEpoch == nil)
    }

    @Test func `a log that lost what it acknowledged raises an alarm`() {
        var election = leader()
        _ = election.propose(PlacementRecord(alive: [], owners: [nil]))
        _ = election.appended(.failure(LogError(.refused, "")), now: start)
        let actions = election.lastRead(.success(.nothing), now: start)
        #expect(actions.count == 2)
        #expect(actions.last == .alarm("COORD should end with 1 of a#1: nobody wrote record 0 with epoch 0"))
    }

    @Test func `whoever was stopped himself waits anew before claiming`() {
        var election = election("b")
        _ = election.tick(now: start)
        _ = election.lastRead(.success(.init(sequence: 9, record: record(4, "a#1"))), now: start)
        #expect(election.tick(now: start + 60_000) == [])
        #expect(election.tick(now: start + 30_000) == [])
        #expect(election.role == .following(lastHeard: start + 30_000))
    }
}
