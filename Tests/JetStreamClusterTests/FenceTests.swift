import JetStreamPorts
import Model
import NATS
import Ports
import TestSupport
import Testing

@Suite struct FenceTests {
    let log = LogName.commits(ShardID(0))

    @Test func `I2 of 64 appends with one expected sequence exactly one is written`() async throws {
        try await SharedServer.withInstallation { installation, connection async throws in
            // A second connection is the other worker that believes it owns the shard.
            let other = try await NATSConnection.connect(connection.options, log: testLog)
            defer { other.close() }
            let second = try await JetStreamInstallation.open(prefix: installation.prefix, connection: other, log: testLog)
            for round in 0..<10 {
                let results = await withTaskGroup(of: Result<UInt64, LogError>.self) { group in
                    for writer in 0..<64 {
                        let store = writer % 2 == 0 ? installation.logs : second.logs
                        group.addTask {
                            await pipeline([[UInt8(writer)]], to: log, of: store, expectingFrom: UInt64(round))[0]
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                #expect(results.compactMap(\.sequence) == [UInt64(round + 1)])
                #expect(results.filter { $0.code == .refused }.count == 63)
            }
        }
    }

    @Test func `I2 10,000 pipelined appends all succeed in order`() async throws {
        try await SharedServer.withInstallation { installation, _ async throws in
            let payloads = (0..<10_000).map { Array("commit \($0)".utf8) }
            let results = await pipeline(payloads, to: log, of: installation.logs, expectingFrom: 0)
            #expect(results.compactMap(\.sequence) == (1...10_000).map { UInt64($0) })
            #expect(try await installation.logs.last(of: log)?.payload == payloads.last)
        }
    }

    @Test func `I8 what does not fit into the queues is refused at once and not written`() async throws {
        try await SharedServer.withInstallation { installation, _ async throws in
            let payloads = [[UInt8]](repeating: [UInt8](repeating: 1, count: 512 << 10), count: 200)
            let results = await pipeline(payloads, to: log, of: installation.logs)
            let written = results.compactMap(\.sequence).count
            let refused = results.filter { $0.code == .unavailable || $0.code == .full }.count
            #expect(written > 0 && refused > 0 && written + refused == 200)
            #expect(try await installation.logs.state(of: log).last == UInt64(written))
        }
    }
}
