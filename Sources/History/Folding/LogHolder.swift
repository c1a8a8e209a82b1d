internal import Logging
internal import Model
internal import Ports

/// Tells those who trim the logs from where this copy still reads them: when it starts, and then whenever it has moved on.
struct LogHolder: Sendable {
    let stores: [ShardHistory]
    let snapshots: any SnapshotStore
    /// The copy's number.
    let copy: UInt8
    let clock: any WallClock
    let log: Logger

    /// Until the task is cancelled. What fails is said and tried again.
    func run() async throws {
        var said: [LogNeed] = []
        while true {
            let needs = stores.flatMap { store in
                let position = store.position
                return [
                    LogNeed(.commits(store.shard), from: position.number + 1),
                    LogNeed(.input(store.shard), from: position.inputNeeded),
                ]
            }
            if needs != said {
                do throws(LogError) {
                    try await say(needs)
                    said = needs
                } catch {
                    log.warning("how far the history is could not be told", metadata: ["error": "\(error)"])
                }
            }
            try await clock.sleep(until: clock.now() + Limits.historyRegistersMilliseconds)
        }
    }

    private func say(_ needs: [LogNeed]) async throws(LogError) {
        // A number of its own: after its folder was lost a copy stands behind what it has said before.
        let last = try await snapshots.kept(of: .history(copy)).first?.head.commit ?? 0
        let head = SnapshotHead(commit: last + 1, commitHash: 0, format: 1, time: clock.now(), needs: needs)
        try await snapshots.put([], head, of: .history(copy))
    }
}
