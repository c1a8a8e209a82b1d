// What the coordinator says and is asked, as JSON. For reading only.

/// Published by the leading coordinator on `coordinator.heartbeat` each ``Limits/heartbeatMilliseconds``.
package struct CoordinatorHeartbeat: Codable, Equatable, Sendable {
    /// Name and run, as ``CoordinatorRecord/coordinator``.
    package var coordinator: String
    package var epoch: UInt64

    package init(coordinator: String, epoch: UInt64) {
        self.coordinator = coordinator
        self.epoch = epoch
    }
}

/// Request to `coordinator.caughtup`: answered when the sums contain these commits, with a ``CaughtUpAnswer``.
package struct CaughtUpRequest: Codable, Equatable, Sendable {
    /// Commit numbers by shard number.
    package var commits: [Int: UInt64]
    /// After so long the answer says what is. Ask with a request time-out somewhat longer.
    package var timeoutMilliseconds: Int64

    package init(commits: [Int: UInt64], timeoutMilliseconds: Int64) {
        self.commits = commits
        self.timeoutMilliseconds = timeoutMilliseconds
    }
}

package struct CaughtUpAnswer: Codable, Equatable, Sendable {
    package var reached: Bool
    /// What the sums contain of the shards asked about.
    package var commits: [Int: UInt64]
    /// Why the sums of a shard do not go on, by shard number.
    package var problems: [Int: String]

    package init(reached: Bool, commits: [Int: UInt64], problems: [Int: String] = [:]) {
        self.reached = reached
        self.commits = commits
        self.problems = problems
    }
}

/// Request to `coordinator.orders`: which orders a rule's figures stand for; answered with ``AttributedOrders``.
package struct OrdersRequest: Codable, Equatable, Sendable {
    /// The rule's name, or its number as text.
    package var rule: String
    /// ``AttributedOrders/next`` of the page before; nil = from the beginning.
    package var after: String?
    /// 1 to ``AttributedOrders/pageMax``.
    package var limit: Int

    package init(rule: String, after: String? = nil, limit: Int = AttributedOrders.pageMax) {
        self.rule = rule
        self.after = after
        self.limit = limit
    }
}

/// A page of orders, by action and order id ascending. An order that was taken back stands with nothing.
package struct AttributedOrders: Codable, Equatable, Sendable {
    package static let pageMax = 1000

    package struct Order: Codable, Equatable, Sendable {
        package var order: String
        /// ``ActionID`` as text.
        package var action: String
        package var customer: String
        /// Minor units.
        package var revenue: Int64
        /// 1, or 0 when it was taken back.
        package var sales: Int64

        package init(order: String, action: String, customer: String, revenue: Int64, sales: Int64) {
            self.order = order
            self.action = action
            self.customer = customer
            self.revenue = revenue
            self.sales = sales
        }
    }

    package var rule: String
    package var orders: [Order]
    /// To ask for the next page; nil = this was the last.
    package var next: String?

    package init(rule: String, orders: [Order], next: String?) {
        self.rule = rule
        self.orders = orders
        self.next = next
    }
}

/// Answer to `coordinator.reconcile`: every figure that does not equal the sum over its orders (I10); none is right.
package struct Reconciliation: Codable, Equatable, Sendable {
    /// Orders compared.
    package var orders: Int64
    package var problems: [String]

    package init(orders: Int64, problems: [String]) {
        self.orders = orders
        self.problems = problems
    }
}

/// Request to `coordinator.drain`: a worker is to give up its shards and take none, or may take some again. Answered with
/// a ``DrainAnswer`` when that stands in COORD.
package struct DrainRequest: Codable, Equatable, Sendable {
    /// The worker's name.
    package var worker: String
    package var isDrained: Bool

    package init(worker: String, isDrained: Bool) {
        self.worker = worker
        self.isDrained = isDrained
    }
}

package struct DrainAnswer: Codable, Equatable, Sendable {
    /// False when it was so already.
    package var isNew: Bool

    package init(isNew: Bool) { self.isNew = isNew }
}

/// Answered instead, when a question cannot be answered: what is wrong with it, and what is allowed.
package struct RequestProblem: Codable, Equatable, Sendable {
    package var error: String

    package init(error: String) { self.error = error }
}
