import Model

/// When an owner that is to give its shard up lets go of it. Pure.
///
///     waiting --the successor follows within the last commits, the more of them the longer it takes--> letting go
///     waiting --nobody is to follow--> letting go
///     waiting --the time is up, and the successor follows, however far behind--> letting go
///
/// A successor that is not heard of is not let go to: whoever serves goes on serving. Safety does not rest on any of this.
struct HandOver: Equatable, Sendable {
    /// Who is to own the shard; nil = nobody can.
    let successor: WorkerID?
    let since: Instant
    /// The brain of the successor, when it has been heard.
    private(set) var brain: UInt32?
    private var heard: (commit: UInt64, at: Instant)?

    init(to successor: WorkerID?, since: Instant) {
        self.successor = successor
        self.since = since
    }

    /// Somebody tells how far it has followed.
    mutating func hear(_ progress: FollowerProgress, now: Instant) {
        guard progress.worker == successor else { return }
        heard = (progress.commit, now)
        brain = progress.brain
    }

    /// - Parameter acknowledged: the owner's last commit.
    func mayLetGo(acknowledged: UInt64, now: Instant) -> Bool {
        guard successor != nil else { return true }
        guard let heard, now - heard.at <= Limits.handOverSilenceMilliseconds else { return false }
        // Under load a successor that keeps up is always some commits behind: what is allowed doubles each second.
        let seconds = min(max(now - since, 0) / Milliseconds.second, 16)
        if heard.commit + Limits.handOverCommits << UInt64(seconds) >= acknowledged { return true }
        return now - since >= Limits.handOverMilliseconds
    }

    static func == (left: HandOver, right: HandOver) -> Bool {
        left.successor == right.successor && left.since == right.since && left.heard?.commit == right.heard?.commit
            && left.heard?.at == right.heard?.at
    }
}
