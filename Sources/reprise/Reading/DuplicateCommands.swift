import ArgumentParser
import Foundation
import Model
import Ports

extension CustomerCommand {
    struct Duplicates: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "duplicates",
            abstract: "List customers that may be one: they share an identifier that nobody has verified.",
            discussion: "Look at them with `reprise customer show`, and join two of them with `reprise customer merge`.")

        @OptionGroup var installation: InstallationOptions
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let cluster = try await Cluster.open(installation, name: "reprise-customer")
            var all = PossibleDuplicates(groups: [], isCut: false)
            for shard in cluster.installation.shards.all {
                let answer = try await cluster.ask("shard.\(shard).duplicates", [], of: "shard \(shard)")
                let part = try JSONDecoder().decode(PossibleDuplicates.self, from: Data(answer))
                all.groups += part.groups
                all.isCut = all.isCut || part.isCut
            }
            all.groups.sort { $0.identifier < $1.identifier }
            if json { return try Output.json(all) }
            guard !all.groups.isEmpty else { return print("no possible duplicates") }
            var table = TextTable([("SHARED IDENTIFIER", .left), ("CUSTOMERS", .left)])
            for group in all.groups { table.row([group.identifier, group.customers.joined(separator: ", ")]) }
            print(table.text)
            if all.isCut { print("there are more than are listed") }
        }
    }

    struct Merge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "merge", abstract: "Say that two customers are one; they are merged for good.",
            discussion: """
                User ids stay before anonymous ids, those before e-mail addresses, phones and cards; of two of a kind the lower \
                text stays. Orders, consent, timers and messages are joined; nothing is counted twice.
                """)

        @OptionGroup var installation: InstallationOptions
        @Argument(help: "One customer, by any identifier.")
        var first: String
        @Argument(help: "The other.")
        var second: String

        func run() async throws {
            let cluster = try await Cluster.open(installation, name: "reprise-customer")
            let finder = CustomerFinder(cluster: cluster)
            let keys = try await [first, second].asyncMap { text in
                guard let view = try await finder.find(text) else { throw CommandError("nobody is known by '\(text)'") }
                return CustomerKey(view.customer)
            }
            guard keys[0] != keys[1] else { return print("both are \(keys[0]) already") }
            let survivor = keys[0].outlives(keys[1]) ? keys[0] : keys[1]
            let other = survivor == keys[0] ? keys[1] : keys[0]
            let time =
                cluster.installation.timeMode == .live
                ? Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) : Limits.timeMin
            // Told twice it changes nothing: so an answer that got lost is no harm.
            let event = Event(customer: survivor, time: time, body: .alias(previous: other))
            let shard = cluster.installation.shards.shard(of: survivor)
            do {
                _ = try await cluster.logs.append(to: .input(shard), InputMessage.events([event]).encoded())
            } catch {
                throw CommandError("the log did not take it: \(error); say it again")
            }
            print("\(other) becomes part of \(survivor)")
        }
    }
}

extension Array {
    fileprivate func asyncMap<Result>(_ change: (Element) async throws -> Result) async throws -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await change(element)) }
        return results
    }
}
