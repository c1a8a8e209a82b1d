import Model
import Testing

@testable import Worker

@Suite("Messages on their way into other shards' inputs")
struct MessageSendingTests {
    private let other = ShardID(3)

    private func ready(_ sending: inout MessageSending, _ number: UInt64) -> [UInt64] {
        sending.ready(acknowledged: number).map(\.through)
    }

    @Test("they leave when their commit is acknowledged, one batch at a time")
    func inOrder() {
        var sending = MessageSending()
        sending.made(5, newest: [other: 2])
        sending.made(6, newest: [other: 4])
        #expect(ready(&sending, 4).isEmpty)
        #expect(ready(&sending, 5) == [2])
        sending.offered(other)
        #expect(ready(&sending, 6).isEmpty, "a batch is under way")
        sending.taken(other, through: 2)
        #expect(ready(&sending, 6).isEmpty, "the state still holds what was delivered")
        #expect(sending.takeDelivered() == [other: 2])
        #expect(ready(&sending, 6) == [4])
        sending.offered(other)
        sending.taken(other, through: 4)
        #expect(sending.takeDelivered() == [other: 4])
        sending.finished(other)
        #expect(sending.isIdle)
    }

    @Test("what is not acknowledged is offered again, after pauses that grow to a bound")
    func failures() {
        var sending = MessageSending()
        sending.begin(with: [other: 9])
        var pauses: [Int64] = []
        for _ in 0..<9 {
            #expect(ready(&sending, 0) == [9])
            sending.offered(other)
            pauses.append(sending.failed(other))
            #expect(ready(&sending, 0).isEmpty)
            sending.retry(other)
        }
        #expect(pauses == [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000])
    }
}
