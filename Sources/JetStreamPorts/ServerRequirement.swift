internal import NATS

/// What the servers must be for an installation to rest on them.
enum ServerRequirement {
    static let oldest = ServerVersion(2, 9, 0)
    static let oldestReplicated = ServerVersion(2, 12, 0)

    /// - Parameter versions: by address, of the servers that answered.
    static func check(_ versions: [String: ServerVersion], replicas: Int) throws(InstallationError) {
        guard [1, 3, 5].contains(replicas) else {
            throw InstallationError(.invalid, "\(replicas) replicas are not possible: allowed are 1, 3 and 5.")
        }
        guard !versions.isEmpty else {
            throw InstallationError(.unavailable, "The version of the NATS server could not be read: it sent no greeting.")
        }
        for (address, version) in versions.sorted(by: { $0.key < $1.key }) {
            guard version >= oldest else {
                throw InstallationError(
                    .serverTooOld, "nats-server \(version) at \(address) is too old: \(oldest) or newer is needed.")
            }
            guard replicas == 1 || version >= oldestReplicated else {
                throw InstallationError(
                    .serverTooOld,
                    "nats-server \(version) at \(address) must not keep replicated streams: before 2.9.21 a replicated stream "
                        + "does not check what a writer expects when the write is applied, so that two owners of a shard could "
                        + "both commit. \(replicas) replicas need nats-server \(oldestReplicated) or newer on every node; "
                        + "this one may be used with 1 replica.")
            }
        }
    }
}
