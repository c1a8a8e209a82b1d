import ArgumentParser
import Foundation
import Model
import Ports

extension SegmentCommand {
    struct Freeze: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "freeze",
            abstract: "Keep the members that a segment has now as a list.",
            discussion: """
                Every member gets the tag of the list; the condition `tag: LIST` is that list from then on, whatever becomes of \
                the segment. Run again after it was broken off, it goes on; run again later, it adds who came in since.
                """)

        @OptionGroup var installation: InstallationOptions
        @Argument(help: "The segment's name.")
        var name: String
        @Option(name: .customLong("as"), help: ArgumentHelp("The list's name.", valueName: "list"))
        var list: String
        @Flag(help: "Print JSON.")
        var json = false

        private struct Summary: Encodable {
            var list: String
            var members: Int
        }

        /// What a tag's trait is called, and what the name of one may be at most.
        private static let prefix = "tag:"
        private static let bytesMax = Limits.nameBytesMax - prefix.utf8.count

        func validate() throws {
            let isLine = list.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }
            guard !list.isEmpty, list.utf8.count <= Self.bytesMax, isLine else {
                throw ValidationError("--as: 1 to \(Self.bytesMax) bytes without control characters")
            }
        }

        func run() async throws {
            let cluster = try await Cluster.open(installation, name: "reprise-segment")
            let reader = try await MemberReader(cluster: cluster, segment: name)
            let shards = cluster.installation.shards
            var bar = ProgressBar(total: shards.shards)
            var count = 0
            for shard in shards.all {
                try await reader.pages(of: shard) { members in
                    try await tag(members, on: shard, cluster)
                    count += members.count
                    return true
                }
                bar.show(Int(shard.number) + 1, "\(Figures.count(count)) members")
            }
            bar.finish()
            if json { return try Output.json(Summary(list: list, members: count)) }
            print("\(Figures.count(count)) members of '\(name)' bear the tag '\(list)'; the condition tag: \(list) is this list")
        }

        /// The members' own shard takes their events. Told twice, they change nothing.
        private func tag(_ members: [SegmentMembers.Member], on shard: ShardID, _ cluster: Cluster) async throws {
            let time = cluster.installation.timeMode == .live ? Instant.wallClock : Limits.timeMin
            var builder = EventBatchBuilder(base: time)
            for member in members {
                builder.append(
                    Event(
                        messageID: Hashing.hash128("freeze:\(list.utf8.count):\(list):\(member.customer)"),
                        customer: CustomerKey(member.customer), time: time,
                        body: .identify(Identify(traits: [Trait(Self.prefix + list, "true")]))))
                if builder.byteCount >= Limits.batchBytesTarget || builder.count == Limits.batchEventsMax {
                    try await append(builder, on: shard, cluster)
                    builder = EventBatchBuilder(base: time)
                }
            }
            if builder.count > 0 { try await append(builder, on: shard, cluster) }
        }

        private func append(_ builder: EventBatchBuilder, on shard: ShardID, _ cluster: Cluster) async throws {
            do {
                _ = try await cluster.logs.append(to: .input(shard), builder.finish())
            } catch {
                throw CommandError("the log did not take it: \(error); say it again, nobody is tagged twice")
            }
        }
    }
}
