/// `REPRISE_SNAPSHOT_EVERY`: bytes of a shard's log after which a snapshot is taken at the latest, where that is less than
/// the log's bound allows.
enum SnapshotSetting {
    private static let name = "REPRISE_SNAPSHOT_EVERY"

    static func bytes() throws -> Int {
        guard let text = Environment.value(name) else { return .max }
        guard let bytes = Int(text), bytes > 0 else { throw CommandError("\(name) '\(text)': bytes are wanted, 1 or more") }
        return bytes
    }
}
