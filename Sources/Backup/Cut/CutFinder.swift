internal import Model

/// Up to where each shard's input and commits go into a backup: a state that could have been (docs/decisions/0019).
struct Cut: Equatable, Sendable {
    /// Last sequences by shard number.
    var inputs: [UInt64]
    var commits: [UInt64]
}

/// What was noted of all logs, one round after the other; a round is begun when the one before is complete.
struct LogEnds: Equatable, Sendable {
    /// Ends of the commit logs, of the inputs, and so on, three times: last sequences by shard number.
    var commits: [[UInt64]]
    var inputs: [[UInt64]]

    static let rounds = 3
}

/// Finds the latest cut in what was noted.
///
/// It begins with the inputs of the second round and the commits of the third, and takes away, until nothing changes, what
/// rests on what is not in it: a commit that read a later input record, or that says another input holds a message which is
/// behind the cut; an input record that rests on a commit behind the cut. What it cannot vouch for it refuses.
struct CutFinder: Sendable {
    let ends: LogEnds
    /// By shard number: the records behind the first round's end, up to the third's, ascending.
    let inputs: [[InputEntry]]
    let commits: [[CommitEntry]]

    /// Nil = no cut can be vouched for: note all ends anew.
    func find() -> Cut? {
        var cut = Cut(inputs: ends.inputs[1], commits: ends.commits[2])
        var missing: Set<Cause> = []
        var changed = true
        while changed {
            changed = false
            for shard in commits.indices where takeCommits(shard, &cut, &missing) { changed = true }
            for shard in inputs.indices where takeInputs(shard, &cut, missing) { changed = true }
        }
        // Whatever rests on a commit behind the cut was written after the second round of commits was noted, so after the
        // first round of inputs: among the records that were looked at.
        for shard in commits.indices where cut.commits[shard] < ends.commits[1][shard] { return nil }
        // A clock record says that all before it was acknowledged: with one among these nothing may be behind the cut.
        let hasClock = inputs.indices.contains { shard in
            inputs[shard].contains { $0.restsOnAll && $0.sequence <= cut.inputs[shard] }
        }
        return hasClock && cut != Cut(inputs: ends.inputs[2], commits: ends.commits[2]) ? nil : cut
    }

    /// Takes away commits that cannot stand; true when some were.
    private func takeCommits(_ shard: Int, _ cut: inout Cut, _ missing: inout Set<Cause>) -> Bool {
        let kept = commits[shard].prefix { $0.number <= cut.commits[shard] }
        guard let first = kept.first(where: { !stands($0, of: shard, cut) }) else { return false }
        for commit in kept where commit.number >= first.number { missing.formUnion(commit.makes) }
        cut.commits[shard] = first.number - 1
        return true
    }

    private func stands(_ commit: CommitEntry, of shard: Int, _ cut: Cut) -> Bool {
        guard commit.read <= cut.inputs[shard] else { return false }
        return commit.delivered.allSatisfy { delivered in
            let to = Int(delivered.to.number)
            return !inputs[to].contains { entry in
                guard entry.sequence > cut.inputs[to], let messages = entry.messages else { return false }
                return Int(messages.from.number) == shard && messages.first <= delivered.through
            }
        }
    }

    /// Takes away input records that cannot stand; true when some were.
    private func takeInputs(_ shard: Int, _ cut: inout Cut, _ missing: Set<Cause>) -> Bool {
        let kept = inputs[shard].prefix { $0.sequence <= cut.inputs[shard] }
        guard let first = kept.first(where: { !$0.rests.isDisjoint(with: missing) }) else { return false }
        cut.inputs[shard] = first.sequence - 1
        return true
    }
}
