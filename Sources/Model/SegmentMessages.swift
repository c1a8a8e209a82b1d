// What is told of segments, as JSON. For reading only.

/// Answer to `coordinator.segments`: how many members each segment of the configuration has now.
package struct SegmentsReport: Codable, Equatable, Sendable {
    package struct Row: Codable, Equatable, Sendable {
        package var name: String
        package var title: String
        package var members: Int64
        /// Those of them whom a message can reach by some channel.
        package var reachableMembers: Int64

        package init(name: String, title: String, members: Int64, reachableMembers: Int64) {
            self.name = name
            self.title = title
            self.members = members
            self.reachableMembers = reachableMembers
        }
    }

    package private(set) var version = MessageVersion()
    /// In the order of the configuration.
    package var rows: [Row]
    /// All that are known.
    package var customers: Int64
    /// Commits of all shards that the sums do not contain yet.
    package var lagCommits: UInt64

    package init(rows: [Row], customers: Int64, lagCommits: UInt64) {
        self.rows = rows
        self.customers = customers
        self.lagCommits = lagCommits
    }
}

/// Request to `shard.<n>.members`: a page of a segment's members, answered with ``SegmentMembers``.
package struct SegmentMembersRequest: Codable, Equatable, Sendable {
    package private(set) var version = MessageVersion()
    /// The segment's number, and a revision that has it.
    package var segment: UInt16
    package var revision: UInt64
    /// ``SegmentMembers/next`` of the page before; nil = from the beginning.
    package var after: UInt32?
    /// No more than so many; 1 or more.
    package var limit: Int

    package init(segment: UInt16, revision: UInt64, after: UInt32? = nil, limit: Int = .max) {
        self.segment = segment
        self.revision = revision
        self.after = after
        self.limit = limit
    }
}

/// A page of a segment's members, in an order that no owner of the shard changes.
///
/// Each page is as of a commit of its own: who comes in or leaves meanwhile may or may not be in a later page, and nobody is
/// in two of them.
package struct SegmentMembers: Codable, Equatable, Sendable {
    package struct Member: Codable, Equatable, Sendable {
        package var customer: String
        package var email: String?
        package var phone: String?
        package var firstName: String?
        /// Whether a message can reach the customer by some channel.
        package var isReachable: Bool

        package init(customer: String, email: String?, phone: String?, firstName: String?, isReachable: Bool) {
            self.customer = customer
            self.email = email
            self.phone = phone
            self.firstName = firstName
            self.isReachable = isReachable
        }

        /// What it takes at most as JSON: its fields, their names, and what has to be escaped in them.
        package var bytesMax: Int {
            [customer, email ?? "", phone ?? "", firstName ?? ""].reduce(128) { size, text in
                size + text.utf8.reduce(0) { $0 + ($1 < 0x20 ? 6 : $1 == 0x22 || $1 == 0x2f || $1 == 0x5c ? 2 : 1) }
            }
        }
    }

    package private(set) var version = MessageVersion()
    /// Every customer of the shard has been brought up to the revision asked for, so that the members are all that there
    /// are. False: ask again in a moment.
    package var isBroughtUp: Bool
    package var members: [Member]
    /// Where the next page begins; nil = this was the last. A page may be empty and not the last.
    package var next: UInt32?

    package init(isBroughtUp: Bool, members: [Member] = [], next: UInt32? = nil) {
        self.isBroughtUp = isBroughtUp
        self.members = members
        self.next = next
    }
}
