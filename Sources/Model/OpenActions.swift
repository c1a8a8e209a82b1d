// What roles tell each other for reading only, as JSON. Nothing here decides anything.

/// Answer to `shard.<n>.open`: the actions that still want an outcome.
package struct OpenActions: Codable, Equatable, Sendable {
    package struct Action: Codable, Equatable, Sendable {
        /// ``ActionID`` as text.
        package var action: String
        package var customer: String
        package var rule: UInt32
        /// ``Channel/name``.
        package var channel: String
        package var deadlineMilliseconds: Int64
        /// The attempt that has the permit, as ``AttemptID`` (instance hexadecimal); nil when nobody has.
        package var grantedInstance: String?
        package var grantedNumber: UInt64?

        package init(
            action: String, customer: String, rule: UInt32, channel: String, deadlineMilliseconds: Int64,
            grantedInstance: String? = nil, grantedNumber: UInt64? = nil
        ) {
            self.action = action
            self.customer = customer
            self.rule = rule
            self.channel = channel
            self.deadlineMilliseconds = deadlineMilliseconds
            self.grantedInstance = grantedInstance
            self.grantedNumber = grantedNumber
        }
    }

    /// Number of the acknowledged commit this is as of; the LOG sequence to follow from is one higher.
    package var commit: UInt64
    package var actions: [Action]

    package init(commit: UInt64, actions: [Action]) {
        self.commit = commit
        self.actions = actions
    }
}

/// Request to `shard.<n>.await`: answered when the shard has committed that input and, where asked, every action has its
/// outcome; the answer is a ``ShardStatus``. One that cannot be met within `timeoutMilliseconds` answers with what is.
package struct AwaitRequest: Codable, Equatable, Sendable {
    package private(set) var version = MessageVersion()
    package var inputSequence: UInt64
    package var withoutOpenActions: Bool
    package var timeoutMilliseconds: Int64

    package init(inputSequence: UInt64, withoutOpenActions: Bool, timeoutMilliseconds: Int64) {
        self.inputSequence = inputSequence
        self.withoutOpenActions = withoutOpenActions
        self.timeoutMilliseconds = timeoutMilliseconds
    }
}
