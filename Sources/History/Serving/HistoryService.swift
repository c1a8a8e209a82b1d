internal import Foundation
internal import Logging
internal import Model
internal import Ports

/// Answers questions out of all shards' stores. Reading only.
struct HistoryService: Sendable {
    let stores: [ShardHistory]
    let map: ShardMap
    let messaging: any Messaging
    let log: Logger

    /// Marks that may lie between a key and the customer it leads to.
    private static let hopsMax = 16

    func register() async throws -> [any Registration] {
        var registrations: [any Registration] = []
        do {
            registrations.append(try await serve("history.timeline") { try await timeline(decode($0)) })
            registrations.append(try await serve("history.decisions") { try await decisions(decode($0)) })
            registrations.append(try await serve("history.drill") { try await drill(decode($0)) })
        } catch {
            for registration in registrations { registration.close() }
            throw error
        }
        return registrations
    }

    func timeline(_ request: HistoryRequest) async throws -> TimelinePage {
        let whom = try await whom(request)
        let (rows, next) = try await page(request, whom) { store, key, cursor, limit in
            try await store.database.timeline(of: key, since: store.since, behind: cursor, limit: limit)
        }
        return TimelinePage(
            customer: whom.keys[0], merged: Array(whom.keys.dropFirst()), rows: rows, next: next,
            reach: try await reach(whom.stores))
    }

    func decisions(_ request: HistoryRequest) async throws -> DecisionsPage {
        let whom = try await whom(request)
        let (rows, next) = try await page(request, whom) { store, key, cursor, limit in
            try await store.database.decisions(of: key, since: store.since, behind: cursor, limit: limit)
        }
        return DecisionsPage(
            customer: whom.keys[0], merged: Array(whom.keys.dropFirst()), rows: rows, next: next,
            reach: try await reach(whom.stores))
    }

    func drill(_ request: DrillRequest) async throws -> DrillPage {
        try check(request.limit)
        guard (1...Limits.rulesMax).contains(request.rules.count) else {
            throw Refusal("rules: 1 to \(Limits.rulesMax) are wanted, not \(request.rules.count)")
        }
        let cursor = request.after.map { PageCursor(text: $0) } ?? PageCursor(time: 0, shard: 0, id: 0)
        guard let cursor else { throw Refusal("after '\(request.after ?? "")' is not the next of a page") }
        var page = DrillPage(total: 0, count: 0, rows: [], next: nil, reach: try await reach(stores))
        var placed: [Placed<DecisionsPage.Row>] = []
        for store in stores {
            let left = request.limit + 1 - placed.count
            let isBehind = store.shard.number < cursor.shard
            let found = try await store.database.drill(
                request, since: store.since, behind: store.shard.number == cursor.shard ? cursor.id : 0,
                limit: isBehind ? 0 : left)
            page.total += found.total
            page.count += found.count
            placed += found.rows
        }
        if placed.count > request.limit {
            placed.removeLast()
            page.next = placed.last.map { PageCursor(time: 0, shard: $0.shard, id: $0.id).text }
        }
        page.rows = placed.map(\.value)
        return page
    }

    // MARK: Customers

    /// A customer's keys, the surviving one first, and the stores that know of them.
    private struct Whom {
        var keys: [String]
        var stores: [ShardHistory]
    }

    private func store(_ key: String) -> ShardHistory { stores[Int(map.shard(of: CustomerKey(key)).number)] }

    private func whom(_ request: HistoryRequest) async throws -> Whom {
        try check(request.limit)
        guard (1...Limits.customerKeyBytesMax).contains(request.customer.utf8.count) else {
            throw Refusal("customer: a key of 1 to \(Limits.customerKeyBytesMax) bytes is wanted")
        }
        var survivor = request.customer
        for _ in 0..<Self.hopsMax {
            guard let next = try await store(survivor).database.leadsTo(survivor) else { break }
            survivor = next
        }
        var keys = [survivor]
        var asked = 0
        while asked < keys.count, keys.count < Limits.historyKeysMax {
            for other in try await store(keys[asked]).database.merged(into: keys[asked])
            where !keys.contains(other) && keys.count < Limits.historyKeysMax {
                keys.append(other)
            }
            asked += 1
        }
        let shards = Set(keys.map { map.shard(of: CustomerKey($0)) }).sorted()
        return Whom(keys: keys, stores: shards.map { stores[Int($0.number)] })
    }

    /// The newest rows behind the request's cursor out of those of all keys.
    private func page<Value: Sendable>(
        _ request: HistoryRequest, _ whom: Whom,
        _ rows: (ShardHistory, String, PageCursor, Int) async throws -> [Placed<Value>]
    ) async throws -> (rows: [Value], next: String?) {
        guard let cursor = request.after.map({ PageCursor(text: $0) }) ?? .newest else {
            throw Refusal("after '\(request.after ?? "")' is not the next of a page")
        }
        var all: [Placed<Value>] = []
        for key in whom.keys { all += try await rows(store(key), key, cursor, request.limit + 1) }
        all.sort { ($0.time, $0.shard, $0.id) > ($1.time, $1.shard, $1.id) }
        let page = all.prefix(request.limit)
        let next = all.count > request.limit ? page.last.map { PageCursor(time: $0.time, shard: $0.shard, id: $0.id).text } : nil
        return (page.map(\.value), next)
    }

    private func reach(_ stores: [ShardHistory]) async throws -> HistoryReach {
        var reach = HistoryReach(sinceMilliseconds: .min, untilMilliseconds: .max)
        for store in stores {
            reach.sinceMilliseconds = max(reach.sinceMilliseconds, store.since.milliseconds)
            reach.untilMilliseconds = min(reach.untilMilliseconds, store.position.clock.milliseconds)
            reach.gaps += try await store.database.gaps()
            if let problem = store.problem { reach.problems.append(problem) }
        }
        return reach
    }

    // MARK: Questions

    private func check(_ limit: Int) throws {
        guard (1...Limits.historyPageMax).contains(limit) else {
            throw Refusal("limit \(limit): allowed are 1 to \(Limits.historyPageMax)")
        }
    }

    /// A question that cannot be answered; the text goes to who asked.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private func decode<Request: Decodable>(_ bytes: [UInt8]) throws -> Request {
        do { return try JSONDecoder().decode(Request.self, from: Data(bytes)) } catch {
            throw Refusal("the request is not a \(Request.self) as JSON: \(error)")
        }
    }

    private func serve(
        _ subject: String, _ answer: @escaping @Sendable ([UInt8]) async throws -> any Encodable & Sendable
    ) async throws -> any Registration {
        try await messaging.serve(subject) { request in
            do { return try Self.encode(await answer(request)) } catch {
                log.warning("a question could not be answered", metadata: ["subject": "\(subject)", "error": "\(error)"])
                do { return try Self.encode(RequestProblem(error: "\(error)")) } catch {
                    return Array(#"{"error":"internal"}"#.utf8)
                }
            }
        }
    }

    private static func encode(_ value: any Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }
}
