package import Model
package import Ports

/// Something that befalls an installation at a time: faults as data.
package struct Incident: Sendable, CustomStringConvertible {
    package enum Role: String, Sendable { case worker, coordinator, dispatcher }

    package enum Kind: Sendable {
        /// The role's process ends between two of its steps, so many jobs from now, and comes back after a while.
        case crash(Role, Int, afterJobs: Int, backMilliseconds: Int64)
        /// It stops for a while, and wakes without knowing it.
        case freeze(Role, Int, milliseconds: Int64)
        /// It is told to stop, and comes back.
        case stop(Role, Int, backMilliseconds: Int64)
        /// It hears nobody and nobody hears it, while its logs go on: soon two believe that they own its shards.
        case cutOff(Role, Int, milliseconds: Int64)
        /// What it reads comes late.
        case slowReader(Role, Int, delayMilliseconds: Int64, milliseconds: Int64)
        /// Its clock jumps.
        case clockJump(Role, Int, byMilliseconds: Int64, milliseconds: Int64)
        /// The log has no leader.
        case leaderGap(LogName, milliseconds: Int64)
        /// The log takes no more.
        case full(LogName, milliseconds: Int64)
        /// The next revision of the rules is applied.
        case newRules
        /// The operator drains the worker for a while.
        case drain(Int, milliseconds: Int64)
        /// A worker more; its name is new.
        case join(Int)
        /// The worker is told to stop, and does not come back.
        case leave(Int)
        /// The shard's LOG forgets its newest commits, acknowledged ones too.
        case loseSuffix(ShardID, commits: UInt64)
    }

    package let at: Int64
    package let kind: Kind

    package init(at: Int64, kind: Kind) {
        self.at = at
        self.kind = kind
    }

    init(draw: (ClosedRange<Int64>) -> Int64, shards: Int, busyMilliseconds: Int64) {
        at = draw(1500...(busyMilliseconds - 2000))
        let role: Role = [.worker, .worker, .worker, .coordinator, .dispatcher][Int(draw(0...4))]
        let number = Int(draw(0...3))
        let shard = ShardID(index: Int(draw(0...Int64(shards - 1))))
        let log: LogName = [.input(shard), .commits(shard), .commits(shard), .coordinator][Int(draw(0...3))]
        switch draw(0...16) {
        case 0, 1, 2:
            kind = .crash(
                role, number, afterJobs: Int(draw(1...(role == .dispatcher ? 40 : 400))), backMilliseconds: draw(200...6000))
        case 3, 4:
            // A coordinator may be away for so long that the logs are trimmed meanwhile.
            let length = role == .coordinator ? draw(4000...25_000) : draw(500...9000)
            kind = .freeze(role, number, milliseconds: length)
        case 5: kind = .stop(role, number, backMilliseconds: draw(200...4000))
        case 6: kind = .cutOff(role, number, milliseconds: draw(2000...9000))
        case 7: kind = .slowReader(role, number, delayMilliseconds: draw(50...1500), milliseconds: draw(1000...8000))
        case 8:
            let jumps = [365 * Milliseconds.day, -Milliseconds.hour, 1500, -1500, 5000]
            kind = .clockJump(role, number, byMilliseconds: jumps[Int(draw(0...4))], milliseconds: draw(1000...8000))
        case 9, 10: kind = .leaderGap(log, milliseconds: draw(4000...9000))
        case 11: kind = .full(log == .coordinator ? .input(shard) : log, milliseconds: draw(1000...5000))
        case 12: kind = .drain(number, milliseconds: draw(1000...8000))
        case 13: kind = .join(number)
        case 14: kind = .leave(number)
        default: kind = .newRules
        }
    }

    package var description: String { "\(at) ms \(what)" }

    private var what: String {
        switch kind {
        case .crash(let role, let number, let jobs, let back): "crash \(role)\(number) +\(jobs) jobs, back \(back) ms"
        case .freeze(let role, let number, let length): "freeze \(role)\(number) \(length) ms"
        case .stop(let role, let number, let back): "stop \(role)\(number), back \(back) ms"
        case .cutOff(let role, let number, let length): "cut off \(role)\(number) \(length) ms"
        case .slowReader(let role, let number, let delay, let length): "slow \(role)\(number) \(delay) ms for \(length) ms"
        case .clockJump(let role, let number, let by, let length): "clock \(role)\(number) \(by) ms for \(length) ms"
        case .leaderGap(let log, let length): "no leader \(log) \(length) ms"
        case .full(let log, let length): "full \(log) \(length) ms"
        case .newRules: "new rules"
        case .drain(let number, let length): "drain worker\(number) \(length) ms"
        case .join(let number): "one more worker, \(number)"
        case .leave(let number): "worker\(number) leaves"
        case .loseSuffix(let shard, let commits): "LOG.\(shard) loses \(commits) commits"
        }
    }
}
