/// What is fixed when an installation is created, and the same for every role in it.
package struct Installation: Equatable, Sendable {
    package enum TimeMode: UInt8, CaseIterable, Sendable {
        /// An event happens when the log takes it.
        case live = 0
        /// Events carry their time; the clock advances by clock records only.
        case eventTime
    }

    package var shards: ShardMap
    package var timeMode: TimeMode
    /// Copies of each stream: 1 or 3.
    package var replicas: Int

    package init(shards: ShardMap, timeMode: TimeMode, replicas: Int) {
        self.shards = shards
        self.timeMode = timeMode
        self.replicas = replicas
    }
}
