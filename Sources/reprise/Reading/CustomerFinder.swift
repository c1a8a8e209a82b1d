import Foundation
import Model

/// Finds a customer by whatever it is known by.
struct CustomerFinder {
    let cluster: Cluster

    /// The keys that a text may stand for: a whole key, or a user id, an anonymous id or another identifier without its
    /// prefix.
    static func keys(_ text: String) -> [CustomerKey] {
        if let kind = CustomerKey(text).kind {
            return [kind == .email ? CustomerKey(text.lowercased()) : CustomerKey(text)]
        }
        var keys: [CustomerKey] = [.user(text), .anonymous(text)]
        if text.contains("@") { keys.append(CustomerKey("email:" + text.lowercased())) }
        let digits = text.filter(\.isNumber)
        if digits.count >= 5 && !text.contains(where: \.isLetter) { keys.append(CustomerKey("phone:" + digits)) }
        keys.append(CustomerKey("card:" + text))
        return keys
    }

    /// Marks that may lie between a key and the customer it leads to.
    private static let hopsMax = 16

    /// The first of the keys under which somebody is known; nil = nobody. Throws when a shard does not answer.
    func find(_ text: String) async throws -> CustomerView? {
        for key in Self.keys(text) {
            if let view = try await follow(key) { return view }
        }
        return nil
    }

    private func follow(_ key: CustomerKey) async throws -> CustomerView? {
        var key = key
        for _ in 0..<Self.hopsMax {
            let shard = cluster.installation.shards.shard(of: key)
            let answer = try await cluster.ask("shard.\(shard).customer", Array(key.text.utf8), of: "shard \(shard)")
            let view = try JSONDecoder().decode(CustomerView.self, from: Data(answer))
            guard let next = view.leadsTo else { return view.found ? view : nil }
            key = CustomerKey(next)
        }
        throw CommandError("the key '\(key)' leads on and on; its marks are damaged")
    }
}
