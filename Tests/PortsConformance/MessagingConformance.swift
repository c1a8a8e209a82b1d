package import Ports

/// What the messaging suite needs of an implementation.
package struct MessagingFixture: Sendable {
    package var messaging: any Messaging
    /// Waits until the implementation's time has moved on by so much while somebody waits for it; does nothing where time
    /// passes by itself.
    package var passTime: @Sendable (Duration) async -> Void

    package init(messaging: any Messaging, passTime: @escaping @Sendable (Duration) async -> Void = { _ in }) {
        self.messaging = messaging
        self.passTime = passTime
    }
}

/// What every ``Messaging`` promises. A registration is in force when `serve` or `listen` has returned.
package enum MessagingConformance {
    package static let cases: [ConformanceCase<MessagingFixture>] = [
        ConformanceCase("a request is answered by who serves it", request),
        ConformanceCase("a request that nobody serves says so", nobody),
        ConformanceCase("a request that is not answered in time says so", timeout),
        ConformanceCase("a closed registration serves no more", closed),
        ConformanceCase("requests are answered concurrently", concurrent),
        ConformanceCase("of several servers the first answer counts", firstAnswer),
        ConformanceCase("I6 a listener hears messages in order", listen),
        ConformanceCase("a wildcard stands for one word", wildcard),
        ConformanceCase("every listener hears every message", everyListener),
        ConformanceCase("a closed listener hears no more", closedListener),
        ConformanceCase("bytes come as they were sent", bytes),
    ]

    static let long: Duration = .seconds(20)

    static func request(_ fixture: MessagingFixture) async throws {
        let registration = try await fixture.messaging.serve("test.echo") { [0] + $0 }
        defer { registration.close() }
        for round in 0..<20 {
            let answer = try await fixture.messaging.request("test.echo", [UInt8(round)], timeout: long)
            try expectEqual(answer, [0, UInt8(round)], "answer")
        }
    }

    static func nobody(_ fixture: MessagingFixture) async throws {
        try expectEqual(try await code { try await fixture.messaging.request("test.nobody", [], timeout: long) }, .nobody, "code")
    }

    static func timeout(_ fixture: MessagingFixture) async throws {
        let (gate, opened) = AsyncStream<Void>.makeStream()
        let registration = try await fixture.messaging.serve("test.slow") { _ in
            for await _ in gate {}
            return [1]
        }
        defer {
            opened.finish()
            registration.close()
        }
        async let found = code { try await fixture.messaging.request("test.slow", [], timeout: .milliseconds(150)) }
        await fixture.passTime(.milliseconds(150))
        try expectEqual(try await found, .timeout, "code")
    }

    static func closed(_ fixture: MessagingFixture) async throws {
        let registration = try await fixture.messaging.serve("test.closed") { $0 }
        _ = try await fixture.messaging.request("test.closed", [], timeout: long)
        registration.close()
        registration.close()
        // Closing may take a moment to reach the other side.
        for _ in 0..<1000 {
            do { _ = try await fixture.messaging.request("test.closed", [], timeout: long) } catch {
                return try expectEqual(error.code, .nobody, "code")
            }
        }
        try expect(false, "a closed registration answered 1,000 requests")
    }

    static func concurrent(_ fixture: MessagingFixture) async throws {
        let (gate, opened) = AsyncStream<Void>.makeStream()
        let registration = try await fixture.messaging.serve("test.wait") { payload in
            if payload == [1] { for await _ in gate { break } } else { opened.yield() }
            return payload
        }
        defer { registration.close() }
        async let first = fixture.messaging.request("test.wait", [1], timeout: long)
        let second = try await fixture.messaging.request("test.wait", [2], timeout: long)
        try expectEqual(second, [2], "second")
        try expectEqual(try await first, [1], "first, which waited for the second")
    }

    static func firstAnswer(_ fixture: MessagingFixture) async throws {
        let (gate, opened) = AsyncStream<Void>.makeStream()
        let slow = try await fixture.messaging.serve("test.two") { _ in
            for await _ in gate {}
            return [1]
        }
        let fast = try await fixture.messaging.serve("test.two") { _ in [2] }
        defer {
            opened.finish()
            slow.close()
            fast.close()
        }
        try expectEqual(try await fixture.messaging.request("test.two", [], timeout: long), [2], "answer")
    }

    static func listen(_ fixture: MessagingFixture) async throws {
        let (messages, heard) = AsyncStream<[UInt8]>.makeStream()
        let registration = try await fixture.messaging.listen("test.numbers") { heard.yield($1) }
        defer { registration.close() }
        let sent = (0..<500).map { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        for payload in sent { fixture.messaging.publish("test.numbers", payload) }
        try expectEqual(await first(500, of: messages), sent, "messages")
    }

    static func wildcard(_ fixture: MessagingFixture) async throws {
        let (messages, heard) = AsyncStream<String>.makeStream()
        let registration = try await fixture.messaging.listen("test.*.open") { subject, _ in heard.yield(subject) }
        defer { registration.close() }
        for subject in ["test.1.open", "test.1.closed", "test.open", "test.1.2.open", "other.1.open", "test.22.open"] {
            fixture.messaging.publish(subject, [])
        }
        try expectEqual(await first(2, of: messages), ["test.1.open", "test.22.open"], "subjects")
    }

    static func everyListener(_ fixture: MessagingFixture) async throws {
        let (messages, heard) = AsyncStream<Int>.makeStream()
        let one = try await fixture.messaging.listen("test.all") { _, _ in heard.yield(1) }
        let two = try await fixture.messaging.listen("test.*") { _, _ in heard.yield(2) }
        defer {
            one.close()
            two.close()
        }
        fixture.messaging.publish("test.all", [])
        try expectEqual(await first(2, of: messages).sorted(), [1, 2], "listeners")
    }

    static func closedListener(_ fixture: MessagingFixture) async throws {
        let (messages, heard) = AsyncStream<String>.makeStream()
        let closed = try await fixture.messaging.listen("test.end") { _, _ in heard.yield("closed") }
        closed.close()
        closed.close()
        let open = try await fixture.messaging.listen("test.end") { _, _ in heard.yield("open") }
        defer { open.close() }
        for _ in 0..<5 { fixture.messaging.publish("test.end", []) }
        try expectEqual(await first(5, of: messages), Array(repeating: "open", count: 5), "who heard")
    }

    static func bytes(_ fixture: MessagingFixture) async throws {
        let registration = try await fixture.messaging.serve("test.bytes") { $0 }
        defer { registration.close() }
        for payload in [[], [0], (0...255).map { UInt8($0) }, [UInt8](repeating: 9, count: 500_000)] {
            let answer = try await fixture.messaging.request("test.bytes", payload, timeout: long)
            try expect(answer == payload, "\(payload.count) bytes came back as \(answer.count)")
        }
    }

    private static func first<Element: Sendable>(_ count: Int, of stream: AsyncStream<Element>) async -> [Element] {
        var found: [Element] = []
        for await element in stream {
            found.append(element)
            if found.count == count { break }
        }
        return found
    }

    private static func code(
        file: String = #fileID, line: Int = #line, of body: () async throws -> [UInt8]
    ) async throws -> RequestError.Code {
        do { _ = try await body() } catch let error as RequestError { return error.code }
        throw ConformanceFailure("the request did not fail", file, line)
    }
}
