package import Model

/// Where an installation is put back: streams that nobody serves yet. What it throws says what a person can do. Used by one
/// task; what was put there before a crash is found again.
package protocol InstallationRestoring: Sendable {
    /// Makes the log begin with this sequence, unless that was done before. Returns the last sequence that is there:
    /// `first - 1` in the beginning.
    func begin(_ log: LogName, first: UInt64) async throws -> UInt64

    /// Appends a record with its time, right behind the one with the sequence before; returns when it is durable, or was
    /// so already. Handed over in order.
    func append(_ records: [LogRecord], to log: LogName) async throws

    var snapshots: any SnapshotStore { get }

    /// Holds delivery, and only then lets roles find the installation.
    func finish(_ hold: DeliveryRecord) async throws
}
