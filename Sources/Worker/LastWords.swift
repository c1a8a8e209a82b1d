import CTrap
import Engine
import Foundation
package import Logging
package import Model
package import Ports

/// What a worker that traps still says: at which event or wake-up of which shard. So its successor knows at once, and no
/// second worker ends there.
///
/// The thread that trapped waits in its signal handler and does nothing for its shard any more; a thread of this appends
/// the word to the shard's LOG, under the owner's epoch. Then the process ends as it would have, after
/// ``Limits/lastWordMilliseconds`` at the latest. Nothing rests on it: without the word, successors find the place by
/// going event by event (``Takeover``).
package enum LastWords {
    /// Begins to listen; once in the life of a process, which plays one worker.
    static func listen(as owner: String, logs: any LogStore, log: Logger) throws {
        var reports: [Int32] = [0, 0]
        var answers: [Int32] = [0, 0]
        guard unsafe pipe(&reports) == 0, unsafe pipe(&answers) == 0 else {
            throw WorkerFault("no pipe for last words: error \(errno)")
        }
        let (report, done) = (reports[0], answers[1])
        let status = reprise_last_word_install(reports[1], answers[0], Int32(Limits.lastWordMilliseconds))
        guard status == 0 else { throw WorkerFault("no handler for last words: error \(status)") }
        // A thread of its own: it waits in a call that blocks.
        Thread.detachNewThread {
            guard let (shard, attempt) = read(from: report) else { return }
            Task.detached {
                await write(attempt, shard, as: owner, to: logs, log: log)
                var byte: UInt8 = 0
                _ = unsafe Foundation.write(done, &byte, 1)
            }
        }
    }

    /// Waits for the one word that this process may have to say.
    private static func read(from pipe: Int32) -> (ShardID, Attempt)? {
        var word = reprise_last_word_t()
        let size = MemoryLayout<reprise_last_word_t>.size
        var count: Int
        repeat { count = unsafe Foundation.read(pipe, &word, size) } while count < 0 && errno == EINTR
        guard count == size else { return nil }
        let place: Place =
            word.place.what == UInt64(reprise_at_event)
            ? .event(inputSequence: word.place.first, index: UInt32(truncatingIfNeeded: word.place.second))
            : .wakeUp(
                due: Instant(milliseconds: Int64(bitPattern: word.place.first)),
                slot: UInt32(truncatingIfNeeded: word.place.second))
        return (
            ShardID(UInt16(truncatingIfNeeded: word.place.shard)),
            Attempt(place: place, signal: UInt8(truncatingIfNeeded: word.signal))
        )
    }

    /// Appends the word to the shard's LOG, as long as `owner` has written its last commit. A commit of the owner that is
    /// still on its way may come first: then the word follows that one; or it comes too late and is refused.
    package static func write(
        _ attempt: Attempt, _ shard: ShardID, as owner: String, to logs: any LogStore, log: Logger
    ) async {
        while true {
            do throws(LogError) {
                guard let record = try await logs.last(of: .commits(shard)), let last = try? ReadCommit(record),
                    last.commit.owner == owner, !last.commit.kind.endsOwnership, last.commit.kind != .attempt
                else { return }
                let word = Commit(
                    kind: .attempt, shard: shard, epoch: last.commit.epoch, number: last.commit.number + 1,
                    previousHash: last.hash, brain: last.commit.brain, owner: owner, attempt: attempt)
                _ = try await logs.append(
                    to: .commits(shard), word.encoded().bytes, expecting: last.commit.number, id: nil)
                return log.critical("worker ends", metadata: ["shard": "\(shard)", "at": "\(attempt.place)"])
            } catch {
                switch error.code {
                // Read back: it may have been written, or another record came first.
                case .refused, .ambiguous, .unavailable: continue
                default: return log.critical("last word not written", metadata: ["shard": "\(shard)", "error": "\(error)"])
                }
            }
        }
    }
}
