import Foundation
import JetStreamPorts
import Model
import NATS
import Ports
import TestSupport
import Testing

/// What only servers with copies can show. Run by `./cluster/test servers`.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["REPRISE_TEST_REPLICAS"] == "3")) struct ReplicasTests {
    let log = LogName.commits(ShardID(1))

    /// Appends one after another, each expecting the one before, reading back what is not known: as a shard's owner does.
    private func append(_ count: UInt64, to store: any LogStore) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        var last: UInt64 = 0
        while last < count {
            guard ContinuousClock.now < deadline else { throw TestSupportError("\(last) of \(count) written in a minute") }
            do throws(LogError) {
                let sequence = try await store.append(to: log, Array("commit \(last + 1)".utf8), expecting: last)
                #expect(sequence == last + 1)
                last = sequence
            } catch {
                let state = try? await store.state(of: log)
                if let state { last = max(last, state.last) }
            }
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `I1 I2 the leader is killed among appends: nothing is lost or doubled, and readers go on in order`() async throws {
        let servers = try await NATSServers.start()
        let connection = try await servers.connect()
        let installation = try await makeInstallation(connection, appendTimeout: .seconds(2), replicas: 3)
        let reader = try await installation.logs.read(log, from: 1)
        async let writing: Void = append(3000, to: installation.logs)
        let stream = "\(installation.prefix)_LOG_1"
        try await eventually("some are written") { try await installation.logs.state(of: log).last > 300 }
        let info = try await connection.request("$JS.API.STREAM.INFO.\(stream)", [], timeout: .seconds(5))
        let leader = try JSONDecoder().decode(StreamInfo.self, from: Data(info.payload)).cluster.leader
        let index = try #require(leader.split(separator: "-").last.flatMap { Int($0) })
        try await servers.servers[index].kill()
        try await writing
        try await servers.servers[index].restart()
        var read: [LogRecord] = []
        while read.count < 3000 { read += try await reader.next(max: 256) }
        #expect(read.map(\.sequence) == (1...3000).map { UInt64($0) })
        #expect(read.enumerated().allSatisfy { $1.payload == Array("commit \($0 + 1)".utf8) })
        reader.close()
        connection.close()
        try await servers.stop()
    }

    private struct StreamInfo: Decodable {
        struct Group: Decodable { var leader: String }
        var cluster: Group
    }
}
