import Model
import Testing

@testable import Worker

@Suite("Commit chain")
struct CommitChainTests {
    private func chain() -> CommitChain { CommitChain(shard: ShardID(0), owner: "a#1", brain: 1, after: .empty) }

    private func read(_ sent: CommitChain.Sent) throws -> ReadCommit {
        try ReadCommit(LogRecord(sequence: sent.number, time: .distantPast, payload: sent.bytes))
    }

    @Test("I3 numbers without gaps, each naming the hash before it")
    func chained() throws {
        var chain = chain()
        let sent = [
            chain.next(.fence, [], completedInput: 0), chain.next(.steps, [], completedInput: 1),
            chain.next(.steps, [], completedInput: 2),
        ]
        let commits = try sent.map { try read($0) }
        #expect(commits.map(\.commit.number) == [1, 2, 3])
        #expect(commits.map(\.commit.epoch) == [1, 1, 1])
        #expect(commits[1].commit.previousHash == commits[0].hash && commits[2].commit.previousHash == commits[1].hash)
    }

    @Test("an acknowledgement covers all before it")
    func acknowledge() {
        var chain = chain()
        for _ in 0..<3 { _ = chain.next(.steps, [], completedInput: 0) }
        chain.acknowledge(2)
        #expect(chain.waiting.map(\.number) == [3] && chain.acknowledged == 2)
        chain.acknowledge(1)
        #expect(chain.acknowledged == 2)
    }

    @Test("I2 what the log's end says: resend, written after all, lost, broken")
    func settle() throws {
        var chain = chain()
        let sent = (0..<3).map { _ in chain.next(.steps, [], completedInput: 0) }
        #expect(chain.settle(nil) == .resend(sent))
        let second = try read(sent[1])
        #expect(chain.settle(second) == .resend([sent[2]]), "a time-out that was none")
        #expect(chain.acknowledged == 2)

        var other = CommitChain(
            shard: ShardID(0), owner: "b#2", brain: 1, after: LogEnd(number: 2, hash: second.hash, epoch: second.commit.epoch))
        let fence = try read(other.next(.fence, [], completedInput: 0))
        #expect(chain.settle(fence) == .lost(by: "b#2"), "only a higher epoch is a fence")

        var next = CommitChain(
            shard: ShardID(0), owner: "c#3", brain: 1, after: LogEnd(number: 1, hash: 7, epoch: second.commit.epoch))
        let late = next.next(.fence, [], completedInput: 0)
        #expect(next.settle(second) == .lost(by: "a#1"), "the owner before went on: fence \(late.number) has no place")

        var twin = CommitChain(
            shard: ShardID(0), owner: "a#1", brain: 1, after: LogEnd(number: 2, hash: 99, epoch: second.commit.epoch))
        let foreign = try read(twin.next(.steps, [], completedInput: 0))
        guard case .broken = chain.settle(foreign) else {
            Issue.record("a commit of our epoch that we never wrote is not taken for ours")
            return
        }
    }
}
