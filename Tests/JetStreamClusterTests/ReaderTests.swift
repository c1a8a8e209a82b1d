import JetStreamPorts
import Model
import NATS
import Ports
import Synchronization
import TestSupport
import Testing

@Suite struct ReaderTests {
    let log = LogName.input(ShardID(0))

    @Test func `I6 50,000 records are read in order`() async throws {
        try await SharedServer.withInstallation { installation, _ async throws in
            let payloads = (0..<50_000).map { Array("event \($0)".utf8) }
            #expect(await pipeline(payloads, to: log, of: installation.logs).compactMap(\.sequence).count == 50_000)
            let reader = try await installation.logs.read(log, from: 1)
            defer { reader.close() }
            var read: [LogRecord] = []
            while read.count < 50_000 { read += try await reader.next(max: 1000) }
            #expect(read.map(\.sequence) == (1...50_000).map { UInt64($0) })
            #expect(read.map(\.payload) == payloads)
        }
    }

    @Test func `a reader goes on after its server was killed and restarted`() async throws {
        let server = try await NATSServer.start()
        let connection = try await server.connect()
        let installation = try await makeInstallation(connection)
        let first = (0..<2000).map { Array("before \($0)".utf8) }
        let second = (0..<2000).map { Array("after \($0)".utf8) }
        #expect(await pipeline(first, to: log, of: installation.logs).compactMap(\.sequence).count == 2000)
        let reader = try await installation.logs.read(log, from: 1)
        var read: [LogRecord] = []
        while read.count < 1000 { read += try await reader.next(max: 100) }
        try await server.kill()
        try await server.restart()
        try await eventually("the connection is back") { connection.isConnected }
        #expect(await pipeline(second, to: log, of: installation.logs).compactMap(\.sequence).count == 2000)
        while read.count < 4000 { read += try await reader.next(max: 100) }
        #expect(read.map(\.sequence) == (1...4000).map { UInt64($0) })
        #expect(read.map(\.payload) == first + second)
        reader.close()
        connection.close()
        try await server.stop()
    }

    @Test func `a slow reader under which the log is trimmed says where it begins`() async throws {
        try await SharedServer.withInstallation { installation, _ async throws in
            // More than a reader keeps ready.
            let payloads = [[UInt8]](repeating: [UInt8](repeating: 3, count: 200_000), count: 80)
            #expect(await pipeline(payloads, to: log, of: installation.logs).compactMap(\.sequence).count == 80)
            let reader = try await installation.logs.read(log, from: 1)
            defer { reader.close() }
            #expect(try await reader.next(max: 1).map(\.sequence) == [1])
            try await installation.logs.trim(log, below: 79)
            var last: UInt64 = 1
            do {
                while true { last = try await reader.next(max: 10).last?.sequence ?? last }
            } catch let error as LogError {
                #expect(error.code == .trimmed(first: 79))
                #expect(last < 79)
            }
        }
    }

    @Test func `a record missing in the middle is a gap`() async throws {
        try await SharedServer.withInstallation { installation, connection async throws in
            _ = await pipeline((1...5).map { [UInt8($0)] }, to: log, of: installation.logs)
            _ = try await connection.request(
                "$JS.API.STREAM.MSG.DELETE.\(installation.prefix)_IN_0", Array(#"{"seq":3}"#.utf8), timeout: .seconds(5))
            let reader = try await installation.logs.read(log, from: 1)
            defer { reader.close() }
            var read: [UInt64] = []
            do {
                while true { read += try await reader.next(max: 10).map(\.sequence) }
            } catch let error as LogError {
                #expect(error.code == .gap(expected: 3, found: 4))
            }
            #expect(read == [1, 2])
        }
    }

    @Test func `I8 sixty-four readers catch up over one connection`() async throws {
        try await SharedServer.withInstallation { installation, _ async throws in
            let payloads = [[UInt8]](repeating: [UInt8](repeating: 5, count: 100_000), count: 150)
            #expect(await pipeline(payloads, to: log, of: installation.logs).compactMap(\.sequence).count == 150)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<64 {
                    group.addTask {
                        let reader = try await installation.logs.read(log, from: 1)
                        defer { reader.close() }
                        var count = 0
                        while count < 150 { count += try await reader.next(max: 50).count }
                        return count
                    }
                }
                for try await count in group { #expect(count == 150) }
            }
        }
    }
}
