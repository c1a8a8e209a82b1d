import Foundation
import Gateway
import Glibc
import Model
import Ports
import SimulatedPorts
import Synchronization
import TestSupport
import Testing

@Suite("F6 pressure on a gateway") struct PressureTests {
    private func track(_ customer: String, _ message: String) -> String {
        "{\"type\":\"track\",\"event\":\"Product Viewed\",\"userId\":\"\(customer)\",\"messageId\":\"\(message)\","
            + "\"properties\":{\"product_id\":\"p\"}}"
    }

    private func batch(_ events: [String]) -> String { "{\"batch\":[\(events.joined(separator: ","))]}" }

    @Test func `F6 a customer over its share is answered 429, its neighbours in the batch are in the log once`() async throws {
        try await RunningGateway.run(pace: .init(perMinute: 60, burst: 10)) { gateway in
            let hot = (0..<11).map { track("hot", "h\($0)") }
            let others = (0..<5).map { track("other\($0)", "o\($0)") }
            for _ in 0..<3 {
                let answer = try await gateway.post("/v1/batch", batch(hot + others))
                #expect(answer.status == 429)
                #expect(Int(answer.headers["retry-after"] ?? "") ?? 0 >= 1)
                #expect(try answer.json()["code"]?.string == "customer_too_fast")
                #expect(try gateway.events().count == others.count)
            }
            #expect(try await gateway.post("/v1/batch", batch(others)).status == 200)
            #expect(try await gateway.post("/v1/batch", batch(Array(hot.prefix(10)) + others)).status == 200)
            #expect(try gateway.events().count == others.count + 10)
            #expect(try await gateway.post("/v1/track", track("hot", "h10")).status == 429)
            #expect(try await gateway.post("/v1/track", track("cool", "c")).status == 200)
        }
    }

    @Test func `F6 in event-time mode, in which history is loaded, nobody is too fast`() async throws {
        try await RunningGateway.run(timeMode: .eventTime, pace: .init(perMinute: 1, burst: 1)) { gateway in
            let time = ",\"timestamp\":\"2024-01-01T00:00:00Z\"}"
            let events = (0..<20).map { String(track("hot", "h\($0)").dropLast()) + time }
            let answer = try await gateway.post("/v1/batch", batch(events))
            #expect(answer.status == 200)
        }
    }

    /// A small body beside one that takes all but 1000 bytes of a budget of 1 MiB.
    private func small() -> String { track("a", UUID().uuidString) + String(repeating: " ", count: 2000) }

    private func bytesInFlight(_ gateway: RunningGateway) async throws -> Double {
        let lines = try await gateway.send("GET", "/metrics").text.split(separator: "\n")
        let line = try #require(lines.first { $0.hasPrefix("reprise_gateway_body_bytes_in_flight ") })
        return try #require(line.split(separator: " ").last.flatMap { Double($0) })
    }

    @Test func `F6 while announced bodies fill the budget others are answered 429, and a client that goes gives it back`()
        async throws
    {
        try await RunningGateway.run(bytesInFlightMax: 1 << 20, bodyMilliseconds: 600_000) { gateway in
            let slow = try Trickle(port: gateway.port, announced: (1 << 20) - 1000)
            // Before another request comes, which could be in the way of the slow one.
            try await eventually("the budget is taken") { try await bytesInFlight(gateway) > 1_000_000 }
            #expect(try await gateway.post("/v1/track", small()).status == 429)
            slow.close()
            try await eventually("the budget is free") { try await gateway.post("/v1/track", small()).status == 200 }
        }
    }

    @Test func `F6 a body that trickles in is cut off, and what it had announced is free again`() async throws {
        try await RunningGateway.run(bytesInFlightMax: 1 << 20, bodyMilliseconds: 1000) { gateway in
            let slow = try Trickle(port: gateway.port, announced: (1 << 20) - 1000)
            defer { slow.close() }
            #expect(try await slow.answer().contains("408"))
            try await eventually("the budget is free") { try await gateway.post("/v1/track", small()).status == 200 }
        }
    }

    @Test func `F6 a shard whose events wait too long for the log gets no more of them, and none is lost`() async throws {
        let clock = MachineClock()
        let logs = SimulatedLogStore(clock: clock)
        let shards = try #require(ShardMap(shards: 1))
        let intake = Intake(logs: logs, clock: clock, shards: shards, settings: .init(), metrics: GatewayMetrics())
        let running = Task { await intake.run() }
        let event = Event(customer: .user("a"), time: clock.now(), body: .named(name: "x", properties: []))
        #expect(!intake.isBehind([event], now: clock.now()))
        logs.script(.held, on: .input(ShardID(0)))
        let waiting = Task { await intake.submit([event]) }
        try await eventually("it waits") { intake.isBehind([event], now: clock.now() + Limits.logWaitMilliseconds + 1000) }
        #expect(!intake.isBehind([event], now: clock.now()))
        // What is held is an answer: there is none before the log has the event.
        try await eventually("the log has it") { try await logs.state(of: .input(ShardID(0))).last == 1 }
        logs.deliverHeld()
        #expect(await waiting.value == nil)
        #expect(!intake.isBehind([event], now: clock.now() + Milliseconds.day))
        running.cancel()
        await running.value
    }
}

/// A client that announces a body and sends a byte now and then.
private final class Trickle: Sendable {
    private let descriptor: Int32

    init(port: Int, announced: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw TestSupportError("no connection: error \(errno)") }
        send("POST /v1/track HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer key\r\nContent-Length: \(announced)\r\n\r\n{")
    }

    private func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// The first bytes of the answer; sends on meanwhile.
    func answer() async throws -> String {
        let text = Mutex("")
        try await eventually("the server answers") {
            self.send(" ")
            var buffer = [UInt8](repeating: 0, count: 256)
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe recv(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
            }
            guard count > 0 else { return false }
            text.withLock { [buffer] in $0 = String(decoding: buffer[..<count], as: UTF8.self) }
            return true
        }
        return text.withLock { $0 }
    }

    func close() { _ = Glibc.close(descriptor) }
}
