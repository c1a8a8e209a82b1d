// What roles tell each other for reading only, as JSON. Nothing here decides anything.

/// Request to `shard.<n>.open`; an empty one asks for the first page.
package struct OpenActionsRequest: Codable, Equatable, Sendable {
    /// ``OpenActions/next`` of the page before.
    package var after: UInt32?

    package init(after: UInt32?) { self.after = after }
}

/// Answer to `shard.<n>.open`: a page of the actions that still want an outcome, in an order that no owner changes.
///
/// Each page is as of a commit of its own, none earlier than that of the page before. Who has all pages and then follows
/// the LOG from behind the first one's commit misses nothing: what an early page does not show yet stands in the LOG, and
/// what a late page shows already is told there once more.
package struct OpenActions: Codable, Equatable, Sendable {
    package struct Action: Codable, Equatable, Sendable {
        /// ``ActionID`` as text.
        package var action: String
        package var customer: String
        package var rule: UInt32
        /// ``Channel/name``, as it was decided.
        package var channel: String
        package var deadlineMilliseconds: Int64
        /// When its timer was first due; nil from a worker that does not say yet.
        package var dueMilliseconds: Int64?
        /// The attempt that has the permit, as ``AttemptID`` (instance hexadecimal); nil when nobody has.
        package var grantedInstance: String?
        package var grantedNumber: UInt64?

        package init(
            action: String, customer: String, rule: UInt32, channel: String, deadlineMilliseconds: Int64,
            dueMilliseconds: Int64? = nil, grantedInstance: String? = nil, grantedNumber: UInt64? = nil
        ) {
            self.action = action
            self.customer = customer
            self.rule = rule
            self.channel = channel
            self.deadlineMilliseconds = deadlineMilliseconds
            self.dueMilliseconds = dueMilliseconds
            self.grantedInstance = grantedInstance
            self.grantedNumber = grantedNumber
        }

        /// What one takes at most as JSON: its fields, their names, and the key with what has to be escaped in it.
        package static func bytesMax(customer: CustomerKey) -> Int {
            320 + customer.text.utf8.reduce(0) { $0 + ($1 < 0x20 ? 6 : $1 == 0x22 || $1 == 0x2f || $1 == 0x5c ? 2 : 1) }
        }
    }

    /// Number of the acknowledged commit this is as of.
    package var commit: UInt64
    package var actions: [Action]
    /// Where the next page begins; nil = this was the last. A page may be empty and not the last.
    package var next: UInt32?

    package init(commit: UInt64, actions: [Action], next: UInt32? = nil) {
        self.commit = commit
        self.actions = actions
        self.next = next
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
