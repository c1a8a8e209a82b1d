/// How much each kind of stream may hold. A server sets the whole bound of a stream aside when the stream is created: the
/// sum must fit into its `max_file_store`, which is three quarters of the free disk by default. Nil = no bound but that.
package struct StreamBounds: Equatable, Sendable {
    /// Of each shard's inputs.
    package var inputBytes: UInt64? = 64 << 20
    /// Of each shard's commits.
    package var commitBytes: UInt64? = 128 << 20
    package var coordinatorBytes: UInt64? = 64 << 20
    package var configurationBytes: UInt64? = 128 << 20
    /// Of what is set aside by all shards together.
    package var deadLetterBytes: UInt64? = 256 << 20
    /// Of all snapshots together.
    package var snapshotBytes: UInt64?

    package init() {}

    /// Divides `totalBytes` among the streams of so many shards: a third for inputs, half for commits, the rest for
    /// coordinator, configuration and what is set aside. Snapshots have no bound of their own.
    package init(totalBytes: UInt64, shards: Int) {
        let shards = UInt64(shards)
        inputBytes = totalBytes / 3 / shards
        commitBytes = totalBytes / 2 / shards
        coordinatorBytes = totalBytes / 20
        configurationBytes = totalBytes / 20
        deadLetterBytes = totalBytes / 20
    }
}
