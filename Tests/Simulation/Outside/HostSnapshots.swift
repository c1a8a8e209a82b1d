internal import Model
package import Ports
package import SimulatedPorts

/// The snapshot store as one host reaches it: a put takes a while, and a host that crashes meanwhile has put nothing.
// Sendable: used on the simulation's thread alone.
package final class HostSnapshots: SnapshotStore, @unchecked Sendable {
    private let store: SimulatedSnapshotStore
    private let clock: HostClock
    private let server: LogServer
    /// Of the put before, by subject; for a store that mixes up what it is given.
    private var before: [SnapshotSubject: [UInt8]] = [:]

    package init(store: SimulatedSnapshotStore, clock: HostClock, server: LogServer) {
        self.store = store
        self.clock = clock
        self.server = server
    }

    package func put(_ snapshot: Snapshot, of subject: SnapshotSubject) async throws(LogError) {
        var snapshot = snapshot
        if server.sabotage == .snapshotOfAnother {
            let own = snapshot.payload
            if let other = before[subject] { snapshot.payload = other }
            before[subject] = own
        }
        do { try await clock.sleep(until: clock.now() + 5 + Int64(server.random.next() % 40)) } catch {
            throw LogError(.unavailable, "\(subject): given up")
        }
        try await store.put(snapshot, of: subject)
    }

    package func newest(
        of subject: SnapshotSubject, atMost: UInt64, report: @Sendable (String) -> Void
    ) async throws(LogError) -> Snapshot? {
        try await store.newest(of: subject, atMost: atMost, report: report)
    }
}
