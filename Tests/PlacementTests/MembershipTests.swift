import Model
import Placement
import Testing

@Suite struct MembershipTests {
    let a = WorkerID(name: "a", instance: "1")
    let b = WorkerID(name: "b", instance: "1")
    let start = Instant(milliseconds: 1_000_000)
    let slow = Membership.Settings(deadAfterMilliseconds: 3000)

    func basis(_ alive: [WorkerID], _ placeable: [WorkerID]) -> PlacementBasis {
        PlacementBasis(roster: Roster(alive: alive, placeable: placeable))
    }

    /// Lets time pass in steps of a heartbeat while these workers are heard.
    func live(_ membership: inout Membership, from: Int64, to: Int64, hearing workers: [WorkerID]) {
        for time in stride(from: from, through: to, by: 500) {
            for worker in workers { membership.heard(worker, draining: false, now: start + time) }
            membership.advance(to: start + time)
        }
    }

    @Test func `two workers that start together are placed together`() {
        var membership = Membership(now: start, settings: slow)
        #expect(membership.roster == nil)
        membership.advance(to: start + 1000)
        membership.heard(a, draining: false, now: start + 1400)
        membership.advance(to: start + 1900)
        #expect(membership.roster == nil)
        membership.heard(b, draining: false, now: start + 2000)
        membership.heard(a, draining: false, now: start + 2000)
        membership.advance(to: start + 2399)
        #expect(membership.roster == nil)
        membership.advance(to: start + 2400)
        #expect(membership.roster == Roster(alive: [a, b], placeable: [a, b]))
    }

    @Test func `F4 a silent worker is suspected, then dead, and lives again when heard`() {
        var membership = Membership(now: start, settings: slow)
        live(&membership, from: 0, to: 2000, hearing: [a, b])
        live(&membership, from: 2500, to: 4500, hearing: [a])
        #expect(membership.all.map(\.state) == [.alive, .suspect])
        #expect(membership.roster?.placeable == [a, b])
        live(&membership, from: 4999, to: 4999, hearing: [a])
        #expect(membership.roster?.alive == [a, b])
        membership.advance(to: start + 5000)
        #expect(membership.all.map(\.state) == [.alive, .dead])
        #expect(membership.roster == Roster(alive: [a], placeable: [a]))
        membership.heard(b, draining: false, now: start + 5200)
        #expect(membership.roster?.alive == [a, b])
    }

    @Test func `F3 a draining worker lives but gets no shards`() {
        var membership = Membership(now: start, settings: slow)
        live(&membership, from: 0, to: 1500, hearing: [a, b])
        membership.heard(b, draining: true, now: start + 1600)
        #expect(membership.roster == Roster(alive: [a, b], placeable: [a]))
    }

    @Test func `whoever slept himself accuses nobody`() {
        var membership = Membership(now: start, settings: slow)
        live(&membership, from: 0, to: 1500, hearing: [a, b])
        membership.advance(to: start + 60_000)
        #expect(membership.roster?.alive == [a, b])
        membership.advance(to: start + 40_000)
        #expect(membership.roster?.alive == [a, b])
        live(&membership, from: 40_000, to: 43_000, hearing: [a])
        #expect(membership.roster?.alive == [a])
    }

    @Test func `a new coordinator gives everybody of the last placement the whole time-out`() {
        var membership = Membership(now: start, settings: slow)
        membership.assume([a, b], now: start + 500)
        #expect(membership.roster?.alive == [a, b])
        live(&membership, from: 1000, to: 3000, hearing: [a])
        #expect(membership.roster?.alive == [a, b])
        live(&membership, from: 3500, to: 3500, hearing: [a])
        #expect(membership.roster?.alive == [a])
    }

    @Test func `F4 a worker that was started again is the same worker, and its run before is gone at once`() {
        var membership = Membership(now: start, settings: slow)
        live(&membership, from: 0, to: 1500, hearing: [a, b])
        let again = WorkerID(name: "a", instance: "2")
        membership.heard(again, draining: false, now: start + 1600)
        #expect(membership.roster?.alive == [again, b])
        #expect(membership.twins.isEmpty)
    }

    @Test func `two workers of one name: the later one counts, and the other is told of`() {
        var membership = Membership(now: start, settings: slow)
        live(&membership, from: 0, to: 1500, hearing: [a, b])
        let twin = WorkerID(name: "a", instance: "2")
        live(&membership, from: 2000, to: 4000, hearing: [b, twin, a])
        #expect(membership.roster?.alive == [twin, b])
        #expect(membership.twins == [a])
        live(&membership, from: 4500, to: 9000, hearing: [b, a])
        #expect(membership.roster?.alive == [a, b], "the later one has gone")
        #expect(membership.twins.isEmpty)
    }

    @Test func `F4 when all are silent at once, it is the net: nobody is accused for a while, and then everybody`() {
        var membership = Membership(now: start, settings: slow)
        live(&membership, from: 0, to: 1500, hearing: [a, b])
        live(&membership, from: 2000, to: 6500, hearing: [])
        #expect(membership.roster?.alive == [a, b])
        membership.heard(a, draining: false, now: start + 6600)
        membership.advance(to: start + 7000)
        #expect(membership.roster?.alive == [a, b], "the other gets the time to be heard too")
        live(&membership, from: 7500, to: 10_000, hearing: [a])
        #expect(membership.roster?.alive == [a])
        live(&membership, from: 10_500, to: 10_500 + Limits.allSilentMilliseconds, hearing: [])
        #expect(membership.roster?.alive.isEmpty == true)
    }

    @Test func `I8 there are at most so many workers, and the dead make room`() {
        var membership = Membership(now: start, settings: slow)
        let workers = (0..<Limits.workersMax).map { WorkerID(name: "w\($0)", instance: "") }
        let known = workers.map { membership.heard($0, draining: false, now: start) }
        #expect(known.allSatisfy { $0 })
        let tooMany = membership.heard(a, draining: false, now: start)
        #expect(!tooMany)
        live(&membership, from: 0, to: 3000, hearing: [workers[0]])
        let isKnown = membership.heard(a, draining: false, now: start + 3000)
        #expect(isKnown)
        #expect(membership.all.count == Limits.workersMax)
    }

    @Test func `a placement follows from the one before and the roster`() {
        let first = PlacementRecord.empty(shards: 4).next(shards: 4, basis: basis([a, b], [a, b]))
        #expect(first.alive == [a, b])
        #expect(first.owners.compactMap(\.self).sorted() == [0, 0, 1, 1])
        let drained = first.next(shards: 4, basis: basis([a, b], [a]))
        #expect(drained.owners == [0, 0, 0, 0])
        let left = drained.next(shards: 4, basis: basis([b], []))
        #expect(left == PlacementRecord(alive: [b], owners: [nil, nil, nil, nil]))
        #expect(PlacementRecord(alive: [b], owners: [0, 1, -1, nil]).ownersByShard == [b, nil, nil, nil])
    }
}
