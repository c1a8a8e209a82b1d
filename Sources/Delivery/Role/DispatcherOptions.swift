package import Curl
package import Model

/// How a dispatcher works.
package struct DispatcherOptions: Sendable {
    package var shards: ShardMap
    package var smtp: SMTPOptions
    /// The right side of Message-ID; empty = the domain of the template's sender.
    package var fromDomain: String
    /// This run; random, and never used again: a message under way under another instance's permit is not ours.
    package var instance: UInt64
    /// Permits asked for or held at once; nil = eight for each connection, at most ``Limits/permitsInFlightMax``.
    package var permitsMax: Int?
    /// How long stopping waits for messages under way and for outcomes to be written.
    package var stopTimeoutMilliseconds: Int64

    package init(
        shards: ShardMap, smtp: SMTPOptions, fromDomain: String = "", instance: UInt64 = .random(in: 1...UInt64.max),
        permitsMax: Int? = nil, stopTimeoutMilliseconds: Int64 = 90 * Milliseconds.second
    ) {
        self.shards = shards
        self.smtp = smtp
        self.fromDomain = fromDomain
        self.instance = instance
        self.permitsMax = permitsMax
        self.stopTimeoutMilliseconds = stopTimeoutMilliseconds
    }

    var settings: DispatcherSettings {
        var settings = DispatcherSettings(instance: instance)
        settings.connections = smtp.connections
        settings.permitsMax = min(permitsMax ?? smtp.connections * 8, Limits.permitsInFlightMax)
        return settings
    }
}
