import Foundation
import Gateway
import Model
import Testing

/// The clients that shops have today, unchanged, against a running gateway.
@Suite struct PythonClientsTests {
    struct Client: Sendable, CustomTestStringConvertible {
        let folder: String
        let package: String
        /// What the constructor is given besides key and host.
        var more = ""
        var testDescription: String { folder + (more.isEmpty ? "" : " " + more) }
    }

    static let clients = [
        Client(folder: "segment-2.4.0", package: "segment.analytics"),
        Client(folder: "segment-2.4.0", package: "segment.analytics", more: "gzip=True"),
        Client(folder: "segment-2.3.4", package: "segment.analytics"),
        Client(folder: "segment-2.3.4", package: "segment.analytics", more: "gzip=True"),
        Client(folder: "rudder-2.1.9", package: "rudderstack.analytics"),
        Client(folder: "rudder-2.1.9", package: "rudderstack.analytics", more: "gzip=False"),
    ]

    static func script(_ client: Client, key: String, port: Int) -> String {
        """
        import sys
        from datetime import datetime, timezone
        from \(client.package).client import Client
        failures = []
        client = Client("\(key)", host="http://127.0.0.1:\(port)", max_retries=1, \(client.more.isEmpty ? "" : client.more + ",")
                        on_error=lambda error, items: failures.append(repr(error)))
        at = datetime(2025, 3, 1, 12, 30, 15, 123456, tzinfo=timezone.utc)
        client.identify("u1", {"email": "Ann@Shop.example", "firstName": "Ann", "vip": True,
            "consent": {"email": True, "sms": False}},
                        timestamp=at, message_id="identify")
        order = {"order_id": "o-1", "revenue": 19.99, "currency": "USD", "coupon": "SPRING",
                 "products": [{"product_id": "p1", "name": "Tea", "price": 9.995, "quantity": 2}]}
        client.track("u1", "Order Completed", order, timestamp=at, message_id="order")
        client.track("u1", "Order Completed", order, timestamp=at, message_id="order")
        client.track(None, "Product Viewed", {"product_id": "p2"}, timestamp=at, anonymous_id="anon", message_id="viewed")
        client.track("u1", "Checkout Started", {"step": 1, "name": "Чай"}, timestamp=at, message_id="named")
        client.page("u1", "docs", "home", {"url": "u"}, timestamp=at, message_id="page")
        client.screen("u1", None, "main", {}, timestamp=at, message_id="screen")
        client.group("u1", "g1", {"plan": "p"}, timestamp=at, message_id="group")
        client.alias("old", "u1", timestamp=at, message_id="alias")
        for i in range(250):
            client.track("u2", "Counted", {"i": i}, timestamp=at, message_id="counted-%d" % i)
        client.flush()
        client.join()
        print("\\n".join(failures))
        sys.exit(1 if failures else 0)
        """
    }

    static let time = Instant(milliseconds: 1_740_832_215_123)

    static func event(_ id: String, _ customer: CustomerKey, _ body: Event.Body, _ identifiers: [Identifier] = []) -> Event {
        Event(messageID: Hashing.hash128(id), customer: customer, time: time, identifiers: identifiers, body: body)
    }

    static func named(_ name: String, _ properties: String) -> Event.Body {
        .named(name: name, properties: Array(properties.utf8))
    }

    static var expected: [Event] {
        let u1 = CustomerKey.user("u1")
        let order = event(
            "order", u1,
            .order(
                OrderEvent(
                    orderID: "o-1", change: .placed, revenue: 1999,
                    lines: [OrderLine(product: Product(id: "p1", name: "Tea"), quantity: 2, price: 1000)], coupon: "SPRING")))
        return [
            event(
                "identify", u1,
                .identify(
                    Identify(
                        traits: [
                            Model.Trait("email", "Ann@Shop.example"), Model.Trait("first_name", "Ann"),
                            Model.Trait("vip", "true"),
                        ],
                        consents: [Consent(.email, granted: true), Consent(.sms, granted: false)])),
                [Identifier(CustomerKey("email:ann@shop.example"), isVerified: false)]),
            order, order,
            event("named", u1, named("Checkout Started", "{\"step\": 1, \"name\": \"\\u0427\\u0430\\u0439\"}")),
            event("page", u1, named("Page Viewed", "{\"name\":\"home\",\"category\":\"docs\",\"url\": \"u\"}")),
            event("screen", u1, named("Screen Viewed", "{\"name\":\"main\"}")),
            event("group", u1, named("Group Joined", "{\"groupId\":\"g1\",\"plan\": \"p\"}")),
            event("alias", u1, .alias(previous: .user("old"))),
        ]
    }

    private static func folder(_ client: Client) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = root.appendingPathComponent(".build-tools/python-clients/\(client.folder)").path
        try #require(
            FileManager.default.fileExists(atPath: folder + "/.installed"),
            "the client \(client.folder) is not installed: run cluster/lib/python-clients.sh")
        return folder
    }

    private static func run(_ client: Client, key: String, port: Int) async throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script(client, key: key, port: port)]
        process.environment = [
            "PYTHONPATH": try folder(client), "PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1",
        ]
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("python-client-\(UUID().uuidString)")
        try Data().write(to: output)
        defer { try? FileManager.default.removeItem(at: output) }
        let handle = try FileHandle(forWritingTo: output)
        process.standardOutput = handle
        process.standardError = handle
        let status = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        return (status, String(decoding: try Data(contentsOf: output), as: UTF8.self))
    }

    @Test("A2 existing clients are served unchanged, repeats keep their message id", arguments: clients)
    func delivers(client: Client) async throws {
        try await RunningGateway.run(timeMode: .eventTime) { gateway in
            let run = try await Self.run(client, key: "key", port: gateway.port)
            #expect(run.status == 0, "\(run.output)")
            let events = try gateway.events()
            #expect(events.filter { $0.customer == .user("u1") } == Self.expected)
            #expect(
                events.filter { $0.customer == .anonymous("anon") }
                    == [
                        Self.event(
                            "viewed", .anonymous("anon"), .product(ProductEvent(kind: .viewed, product: Product(id: "p2"))))
                    ])
            let counted = (0..<250).map { Self.event("counted-\($0)", .user("u2"), Self.named("Counted", "{\"i\": \($0)}")) }
            #expect(events.filter { $0.customer == .user("u2") } == counted)
            #expect(events.count == Self.expected.count + 1 + 250)
        }
    }

    @Test("a client with a wrong key is told so in words it understands", arguments: clients)
    func refuses(client: Client) async throws {
        try await RunningGateway.run(timeMode: .eventTime) { gateway in
            let run = try await Self.run(client, key: "wrong", port: gateway.port)
            #expect(run.status == 1, "\(run.output)")
            #expect(run.output.contains("unauthorized"), "\(run.output)")
            #expect(try gateway.events().isEmpty)
        }
    }
}
