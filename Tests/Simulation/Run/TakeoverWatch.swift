internal import Foundation
internal import Model
internal import Ports

/// Tells by which ways shards change hands: as planned or not, to a standby or not, how carefully. A value type.
struct TakeoverWatch {
    private var placement: PlacementRecord?
    /// Who was a standby of the shard when it was to own it, as it stands in commits.
    private var promoted: [String?]

    init(shards: Int) { promoted = Array(repeating: nil, count: shards) }

    /// A record of COORD.
    mutating func feed(_ record: LogRecord) {
        guard let next = try? JSONDecoder().decode(CoordinatorRecord.self, from: Data(record.payload)).placement else { return }
        defer { placement = next }
        guard let before = placement else { return }
        for shard in promoted.indices {
            let owner = next.owners[shard].map { next.alive[$0] }
            let ownerBefore = before.owners[shard].map { before.alive[$0] }
            guard let owner, owner != ownerBefore, before.standbys.indices.contains(shard) else { continue }
            let stoodBy = before.standbys[shard].contains { before.alive[$0] == owner }
            promoted[shard] = stoodBy ? owner.description : nil
        }
    }

    /// The branches that this commit shows, by name; `behind` = the kind of the commit before it.
    func branches(of commit: Commit, behind kind: Commit.Kind?) -> [String] {
        guard commit.kind == .fence, let takeover = commit.takeover else { return [] }
        var branches: [String] = []
        if let kind { branches.append(kind.endsOwnership ? "takeover: planned" : "takeover: behind an owner that is gone") }
        if kind != nil && promoted[Int(commit.shard.number)] == commit.owner { branches.append("takeover: by a standby") }
        if kind == .attempt { branches.append("takeover: behind a last word") }
        if takeover.caution != .none { branches.append("takeover: careful, \(takeover.caution)") }
        if takeover.skipsFirst { branches.append("takeover: sets aside what comes first") }
        return branches
    }
}
