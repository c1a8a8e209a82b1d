import Model

/// When an owner that is to give its shard up lets go of it. Pure.
///
///     waiting --the successor follows within the last commits--> letting go
///     waiting --nobody is to follow--> letting go
///     waiting --the time is up, and the successor follows, however far behind--> letting go
///
/// A successor that is not heard of is not let go to: whoever serves goes on serving. Safety does not rest on any of this.
struct HandOver: Equatable, Sendable {
    /// Who is to own the shard; nil = nobody can.
    let successor: WorkerID?
    let since: Instant
    private var heard: (commit: UInt64, at: Instant)?

    init(to successor: WorkerID?, since: Instant) {
        self.successor = successor
        self.since = since
    }

    /// Somebody tells how far it has followed.
    mutating func hear(_ progress: FollowerProgress, now: Instant) {
        if progress.worker == successor { heard = (progress.commit, now) }
    }

    /// - Parameter acknowledged: the owner's last commit.
    func mayLetGo(acknowledged: UInt64, now: Instant) -> Bool {
        guard successor != nil else { return true }
        guard let heard, now - heard.at <= Limits.handOverSilenceMilliseconds else { return false }
        if heard.commit + Limits.handOverCommits >= acknowledged { return true }
        return now - since >= Limits.handOverMilliseconds
    }

    static func == (left: HandOver, right: HandOver) -> Bool {
        left.successor == right.successor && left.since == right.since && left.heard?.commit == right.heard?.commit
            && left.heard?.at == right.heard?.at
    }
}
