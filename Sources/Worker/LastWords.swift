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
///
/// While it runs a recorded commit again a worker has no epoch. Then the word goes to the coordinator, which keeps it in
/// COORD (``ReplayTrap``).
package struct LastWords: Sendable {
    private let options: WorkerOptions
    private let logs: any LogStore
    private let messaging: any Messaging
    private let log: Logger

    init(_ options: WorkerOptions, _ logs: any LogStore, _ messaging: any Messaging, _ log: Logger) {
        self.options = options
        self.logs = logs
        self.messaging = messaging
        self.log = log
    }

    private struct Word: Sendable {
        var shard: ShardID
        var place: Place?
        /// The recorded commit that was run again; 0 = something new was decided.
        var commit: UInt64
        var signal: UInt8
    }

    /// Begins to listen; once in the life of a process, which plays one worker.
    func listen() throws {
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
            guard let word = Self.read(from: report) else { return }
            Task.detached {
                await self.pass(on: word)
                var byte: UInt8 = 0
                _ = unsafe Foundation.write(done, &byte, 1)
            }
        }
    }

    private func pass(on word: Word) async {
        if word.commit > 0 {
            let trap = ReplayTrap(
                shard: Int(word.shard.number), commit: word.commit, build: options.build, place: word.place,
                workers: [options.id.description])
            log.critical("worker ends", metadata: ["because": "\(trap.description)", "signal": "\(word.signal)"])
            await Self.tell(trap, messaging, log: log)
        } else if let place = word.place {
            let attempt = Attempt(place: place, signal: word.signal)
            await Self.write(attempt, word.shard, as: options.id.description, to: logs, log: log)
        }
    }

    /// Waits for the one word that this process may have to say.
    private static func read(from pipe: Int32) -> Word? {
        var word = reprise_last_word_t()
        let size = MemoryLayout<reprise_last_word_t>.size
        var count: Int
        repeat { count = unsafe Foundation.read(pipe, &word, size) } while count < 0 && errno == EINTR
        guard count == size else { return nil }
        let place: Place? =
            switch word.place.what {
            case UInt64(reprise_at_event):
                .event(inputSequence: word.place.first, index: UInt32(truncatingIfNeeded: word.place.second))
            case UInt64(reprise_at_wake_up):
                .wakeUp(
                    due: Instant(milliseconds: Int64(bitPattern: word.place.first)),
                    slot: UInt32(truncatingIfNeeded: word.place.second))
            default: nil
            }
        return Word(
            shard: ShardID(UInt16(truncatingIfNeeded: word.place.shard)), place: place, commit: word.place.commit,
            signal: UInt8(truncatingIfNeeded: word.signal))
    }

    /// Tells the coordinator until one has it in COORD.
    static func tell(_ trap: ReplayTrap, _ messaging: any Messaging, log: Logger) async {
        do {
            let report = Array(try JSONEncoder().encode(ReplayTrapReport(trap: trap)))
            while true {
                do throws(RequestError) {
                    _ = try await messaging.request("coordinator.trapped", report, timeout: .milliseconds(300))
                    return
                } catch {
                    log.error("last word not heard", metadata: ["error": "\(error)"])
                    if error.code == .nobody { try await Task.sleep(for: .milliseconds(50)) }
                }
            }
        } catch {
            log.error("last word not told", metadata: ["error": "\(error)"])
        }
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
