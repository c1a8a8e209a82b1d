import Model
import Testing

@testable import Worker

@Suite("Hand-over")
struct HandOverTests {
    let start = Instant(milliseconds: 1_000_000)
    let next = WorkerID(name: "b", instance: "2")

    private func told(_ commit: UInt64, at milliseconds: Int64, by worker: WorkerID? = nil) -> HandOver {
        var handOver = HandOver(to: next, since: start)
        handOver.hear(FollowerProgress(worker: worker ?? next, brain: 1, commit: commit), now: start + milliseconds)
        return handOver
    }

    @Test("F3 a shard is let go of when its successor has nearly all of it")
    func near() {
        #expect(told(98, at: 10).mayLetGo(acknowledged: 100, now: start + 20))
        #expect(!told(97, at: 10).mayLetGo(acknowledged: 100, now: start + 20))
    }

    @Test("F3 under load, where a successor is always some commits behind, more are allowed each second")
    func load() {
        #expect(!told(90, at: 1990).mayLetGo(acknowledged: 100, now: start + 1999))
        #expect(told(92, at: 1990).mayLetGo(acknowledged: 100, now: start + 2000))
        #expect(told(36, at: 4990).mayLetGo(acknowledged: 100, now: start + 5000))
    }

    @Test("F3 whoever serves goes on as long as no successor is heard, however long that takes")
    func unheard() {
        #expect(!HandOver(to: next, since: start).mayLetGo(acknowledged: 0, now: start + Milliseconds.day))
        #expect(!told(100, at: 10).mayLetGo(acknowledged: 100, now: start + 10 + Limits.handOverSilenceMilliseconds + 1))
        let stranger = told(100, at: 10, by: WorkerID(name: "c", instance: "3"))
        #expect(!stranger.mayLetGo(acknowledged: 100, now: start + 20))
    }

    @Test("a successor that never comes near gets the shard when the time is up")
    func late() {
        let late = Limits.handOverMilliseconds
        #expect(!told(1, at: late - 20).mayLetGo(acknowledged: 1_000_000, now: start + (late - 1)))
        #expect(told(1, at: late - 20).mayLetGo(acknowledged: 1_000_000, now: start + late))
    }

    @Test("with nobody to follow there is nobody to wait for")
    func nobody() { #expect(HandOver(to: nil, since: start).mayLetGo(acknowledged: 100, now: start)) }
}
