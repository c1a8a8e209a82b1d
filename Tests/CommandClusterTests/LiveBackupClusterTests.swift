import Checkers
import Foundation
import JetStreamPorts
import Model
import NATS
import Ports
import Synchronization
import TestSupport
import Testing

/// A cluster in live mode that is backed up while orders come through the gateway, a dispatcher sends mails, and customers
/// turn out to be one: what becomes of all of that elsewhere.
@Suite(.serialized) struct LiveBackupClusterTests {
    private static let rules = """
        installation:
          currency: USD
          time_zone: UTC
          fulfilled: on_placed
          consent: assumed
        templates:
          - name: letter
            from: "Shop <news@shop.example>"
            subject: Hello
            text: We have news.
        rules:
          - name: review
            title: Review
            mechanic: review_request
            after: 1s
            action: { email: letter }
            conversion: { window: 6d }

        """

    private static let peopleAtOnce = 5

    /// What five people do: each orders under her name, once by card and once as a visitor, and then all of it turns out to be
    /// hers. The same numbers give the same events.
    private static func events(_ round: Int) -> [[String: Any]] {
        (0..<peopleAtOnce).flatMap { index -> [[String: Any]] in
            let person = "\(round)-\(index)"
            func order(_ id: String, _ whose: [String: Any]) -> [String: Any] {
                whose.merging([
                    "type": "track", "event": "Order Completed", "messageId": "\(id)-\(person)",
                    "properties": ["order_id": "\(id)-\(person)", "revenue": 10, "currency": "USD"],
                ]) { $1 }
            }
            let card: [String: Any] = ["externalIds": [["type": "card", "id": "77-\(person)", "verified": true]]]
            return [
                [
                    "type": "identify", "messageId": "first-\(person)", "userId": "u-\(person)",
                    "traits": ["email": "u-\(person)@example.com"],
                ],
                order("named", ["userId": "u-\(person)"]),
                order("card", ["context": card]),
                order("visit", ["anonymousId": "b-\(person)"]),
                [
                    "type": "identify", "messageId": "last-\(person)", "userId": "u-\(person)", "anonymousId": "b-\(person)",
                    "context": card,
                ],
            ]
        }
    }

    /// Sends a round until it is taken.
    private static func send(_ round: Int, to cluster: TestCluster) async throws {
        try await eventually("round \(round) is taken", within: .seconds(60)) {
            let answer = try await cluster.post(events(round))
            guard answer.status == 200 || answer.saysWhen else {
                throw TestSupportError("round \(round) was answered with \(answer.status)")
            }
            return answer.status == 200
        }
    }

    private func actions(_ cluster: TestCluster) throws -> [String] {
        try cluster.mails().compactMap { mail in
            let line = mail.split(whereSeparator: \.isNewline).first { $0.lowercased().hasPrefix("message-id:") }
            return line.flatMap { $0.split(separator: "<").last?.split(separator: "@").first.map(String.init) }
        }
    }

    private struct Manifest: Decodable {
        struct Position: Decodable {
            var shard: Int
            var input: UInt64
            var commit: UInt64
        }

        var positions: [Position]
    }

    /// Messages between shards that are sent in a backup's commits, and not applied there.
    private func underWay(in backup: String, _ contents: LogContents) throws -> Int {
        let data = try Data(contentsOf: URL(fileURLWithPath: backup + "/manifest.json"))
        var (sent, applied) = (0, 0)
        for position in try JSONDecoder().decode(Manifest.self, from: data).positions {
            for commit in contents.commits[position.shard] where commit.number <= position.commit {
                for step in commit.steps {
                    for effect in try step.decodedEffects() {
                        if case .messageSent = effect { sent += 1 }
                        if case .messageApplied = effect { applied += 1 }
                    }
                }
            }
        }
        return sent - applied
    }

    private struct FirstLife {
        var rounds: Int
        /// Actions whose mails had arrived before the backup began, and in the end.
        var before: Set<String>
        var mails: Set<String>
        var ended: Date
        var backup: String
    }

    private func firstLife(_ folder: ScratchFolder) async throws -> FirstLife {
        let cluster = try await TestCluster.start(workers: 1, shards: 8, timeMode: [])
        do {
            try await cluster.run(["rules", "apply", "-f", try cluster.folder.write("rules.yaml", Self.rules)])
            let rounds = Mutex(0)
            let isOver = Mutex(false)
            let load = Task {
                while !isOver.withLock({ $0 }) {
                    try await Self.send(rounds.withLock { $0 }, to: cluster)
                    rounds.withLock { $0 += 1 }
                }
            }
            try await eventually("mails arrive under load", within: .seconds(60)) { try self.actions(cluster).count > 20 }
            // The one of them that has most to show: messages between shards that were under way.
            var chosen: (backup: String, underWay: Int, before: Set<String>)?
            for attempt in 1...6 where chosen?.underWay ?? 0 == 0 {
                let (backup, before) = (folder.path("backup-\(attempt)"), Set(try actions(cluster)))
                try await cluster.run(["backup", backup])
                chosen = (backup, try underWay(in: backup, try await LogContents.read(cluster)), before)
            }
            let backup = try #require(chosen)
            print("messages between shards under way at the cut: \(backup.underWay)")
            #expect(backup.underWay > 0, "in none of the backups a message between shards was under way")
            let sent = Set(try actions(cluster)).count
            try await eventually("mails go on leaving behind the cut", within: .seconds(30)) {
                try self.actions(cluster).count > sent + 10
            }
            isOver.withLock { $0 = true }
            try await load.value
            try await cluster.kill("dispatcher")
            let life = FirstLife(
                rounds: rounds.withLock { $0 }, before: backup.before, mails: Set(try actions(cluster)), ended: Date(),
                backup: backup.backup)
            try await cluster.stop()
            return life
        } catch {
            let logs = cluster.logs()
            try await cluster.stop()
            throw TestSupportError("\(error)\n\(logs)")
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `F8 I4 I11 a backup in live mode under load: nothing sent twice, every message between shards applied once`()
        async throws
    {
        let folder = try ScratchFolder()
        let first = try await firstLife(folder)
        #expect(!first.before.isEmpty && first.before.isSubset(of: first.mails))
        let cluster = try await TestCluster.start(workers: 3, shards: 8, restoring: first.backup)
        do {
            for round in 0..<first.rounds { try await Self.send(round, to: cluster) }
            let people = first.rounds * Self.peopleAtOnce
            try await eventually("everybody's orders are joined and decided about", within: .seconds(90)) {
                try await self.atRest(cluster, orders: 3 * people)
            }
            #expect(try actions(cluster).isEmpty, "delivery is held")
            // A second more, as instants are told in whole seconds.
            let ended = first.ended.addingTimeInterval(1).formatted(.iso8601)
            try await cluster.run(["delivery", "release", "--uncertain-due-before", ended])
            for round in first.rounds..<first.rounds + 3 { try await Self.send(round, to: cluster) }
            try await eventually("the new orders' mails arrive", within: .seconds(60)) {
                try self.actions(cluster).count >= 3 * Self.peopleAtOnce
            }
            try await eventually("nothing is open any more", within: .seconds(60)) {
                let effects = try await LogContents.read(cluster).effects()
                return effects.count { if case .actionOpened = $0 { true } else { false } }
                    <= effects.count { if case .actionClosed = $0 { true } else { false } }
            }
            let mails = try actions(cluster)
            #expect(Set(mails).count == mails.count && first.mails.isDisjoint(with: mails), "sent twice")
            try await check(cluster, people: people + 3 * Self.peopleAtOnce, first)
        } catch {
            let logs = cluster.logs()
            try await cluster.stop()
            throw TestSupportError("\(error)\n\(logs)")
        }
        try await cluster.stop()
    }

    /// Whether all orders are counted and no message between shards is under way.
    private func atRest(_ cluster: TestCluster, orders: Int) async throws -> Bool {
        let contents = try await LogContents.read(cluster)
        let (sent, applied) = try contents.effects().reduce(into: (0, 0)) { counts, effect in
            if case .messageSent = effect { counts.0 += 1 }
            if case .messageApplied = effect { counts.1 += 1 }
        }
        return try sent == applied && contents.sum(.orders) == Int64(orders)
    }

    private func check(_ cluster: TestCluster, people: Int, _ first: FirstLife) async throws {
        let contents = try await LogContents.read(cluster)
        #expect(try contents.sum(.orders) == Int64(3 * people) && contents.sum(.revenue) == Int64(3000 * people))
        var closed: [String: Outcome] = [:]
        var opened: Set<String> = []
        for effect in try contents.effects() {
            switch effect {
            case .actionOpened(let action): #expect(opened.insert(action.action.description).inserted, "decided twice")
            case .actionClosed(let action):
                #expect(closed.updateValue(action.outcome, forKey: action.action.description) == nil, "closed twice")
            default: break
            }
        }
        #expect(Set(closed.keys) == opened)
        #expect(closed.values.contains(.uncertain) && closed.values.contains(.sent))
        // What had left before the backup began is known to have been sent, or to be uncertain.
        for action in first.before {
            #expect(closed[action] == .sent || closed[action] == .uncertain, "\(action): \(String(describing: closed[action]))")
        }
        let violations = try await messages(cluster, contents)
        #expect(violations.isEmpty, "\(violations)")
    }

    /// What the checker of messages between shards has to say of all logs.
    private func messages(_ cluster: TestCluster, _ contents: LogContents) async throws -> [Violation] {
        let connection = try await cluster.nats.connect()
        defer { connection.close() }
        let installation = try await JetStreamInstallation.open(connection: connection, log: testLog)
        var checker = MessageChecker()
        let effects = try contents.commits.map { try $0.flatMap { try $0.steps.flatMap { try $0.decodedEffects() } } }
        func feed(_ isWanted: (Effect) -> Bool) {
            for (index, effects) in effects.enumerated() {
                for effect in effects where isWanted(effect) { checker.feed(effect, of: ShardID(UInt16(index))) }
            }
        }
        // All logs are whole: first what was sent, then what came, then what was made of it.
        feed { if case .messageSent = $0 { true } else { false } }
        for shard in installation.settings.shards.all {
            let last = try await installation.logs.state(of: .input(shard)).last
            let reader = try await installation.logs.read(.input(shard), from: 1)
            defer { reader.close() }
            var next: UInt64 = 1
            while next <= last {
                for record in try await reader.next(max: 256) {
                    next = record.sequence + 1
                    guard case .messages(let source, let first, let bodies) = try InputMessage.decoded(record.payload) else {
                        continue
                    }
                    checker.feed(from: source, first: first, bodies, to: shard)
                }
            }
        }
        feed { if case .messageSent = $0 { false } else { true } }
        #expect(checker.waiting == 0)
        return checker.violations()
    }
}
