import JetStreamPorts
import Model
import Ports
import TestSupport
import Testing

@testable import NATS

@Suite struct FaultTests {
    let log = LogName.commits(ShardID(1))

    @Test func `I1 an append to a frozen server is ambiguous and is found by reading back`() async throws {
        let server = try await NATSServer.start()
        let connection = try await server.connect()
        let installation = try await makeInstallation(connection, appendTimeout: .seconds(1))
        #expect(try await installation.logs.append(to: log, [1], expecting: 0) == 1)
        try await server.freeze()
        let result = await pipeline([[2]], to: log, of: installation.logs, expectingFrom: 1)[0]
        #expect(result.code == .ambiguous)
        try server.thaw()
        try await eventually("the append was written") { try await installation.logs.last(of: log)?.payload == [2] }
        #expect(try await installation.logs.append(to: log, [3], expecting: 2) == 3)
        connection.close()
        try await server.stop()
    }

    @Test func `I1 what was acknowledged survives kill -9, and no append is lost in silence`() async throws {
        let server = try await NATSServer.start()
        let connection = try await server.connect()
        let installation = try await makeInstallation(connection)
        let payloads = (0..<5000).map { Array("commit \($0)".utf8) }
        async let results = pipeline(payloads, to: log, of: installation.logs, expectingFrom: 0)
        try await eventually("some are written") { try await installation.logs.state(of: log).last > 0 }
        try await server.kill()
        let answered = await results
        let refused = await pipeline([[0]], to: log, of: installation.logs)[0]
        #expect(refused.code == .unavailable)
        try await server.restart()
        try await eventually("the connection is back") { connection.isConnected }
        let last = try await installation.logs.state(of: log).last
        let acknowledged = answered.compactMap(\.sequence)
        #expect(acknowledged == (0..<acknowledged.count).map { UInt64($0 + 1) })
        #expect(last >= UInt64(acknowledged.count))
        for code in answered.dropFirst(acknowledged.count).map(\.code) { #expect(code == .ambiguous || code == .unavailable) }
        connection.close()
        try await server.stop()
    }

    @Test func `nothing holds up the cooperative pool while the server stands still`() async throws {
        let server = try await NATSServer.start()
        let connection = try await server.connect()
        let installation = try await makeInstallation(connection, appendTimeout: .seconds(2))
        try await server.freeze()
        let chunk = [UInt8](repeating: 9, count: 512 << 10)
        async let answers = withTaskGroup(of: LogError.Code?.self) { group in
            for index in 0..<64 {
                group.addTask {
                    do throws(LogError) {
                        // Both ways: large ones fill the socket, questions wait.
                        if index % 2 == 0 {
                            _ = try await installation.logs.append(to: log, chunk)
                        } else {
                            _ = try await installation.logs.last(of: log)
                        }
                        return nil
                    } catch {
                        return error.code
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var slowest = Duration.zero
        for _ in 0..<100 {
            let start = ContinuousClock.now
            await Task { await Task.yield() }.value
            slowest = max(slowest, start.duration(to: .now))
        }
        #expect(slowest < .milliseconds(500))
        let codes = await answers
        #expect(codes.count == 64 && codes.allSatisfy { $0 == .ambiguous || $0 == .unavailable })
        try server.thaw()
        connection.close()
        try await server.stop()
    }

    @Test func `closing a connection answers whoever waits`() async throws {
        let server = try await NATSServer.start()
        let connection = try await server.connect()
        let installation = try await makeInstallation(connection)
        let reader = try await installation.logs.read(log, from: 1)
        try await server.freeze()
        async let append = pipeline([[1]], to: log, of: installation.logs)[0]
        async let next: [LogRecord]? = try? await reader.next(max: 1)
        try await eventually("the append is under way") { connection.core.withLock { $0.pending.count } == 1 }
        connection.close()
        connection.close()
        #expect(await append.code == .ambiguous)
        #expect(await next == nil)
        reader.close()
        #expect(throws: NATSError.self) { try connection.publish("x", []) }
        try await server.stop()
    }
}
