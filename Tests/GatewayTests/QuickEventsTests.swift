import Gateway
import Model
import SimulatedPorts
import Testing

/// A batch is read the quick way where its calls are usual; what comes out must be what the long way makes of them.
@Suite struct QuickEventsTests {
    private static let installations = [
        EventMapping.Settings(timeMode: .live), EventMapping.Settings(timeMode: .eventTime),
        EventMapping.Settings(timeMode: .live, currency: "JPY", currencyDigits: 0),
        EventMapping.Settings(timeMode: .live, currency: "KWD", currencyDigits: 3),
    ]

    /// What each call of a batch comes to when only ``EventMapping`` is asked.
    private func longWay(_ body: [UInt8], _ settings: EventMapping.Settings) throws -> (
        events: [Event], rejected: [(index: Int, error: FieldError)]
    ) {
        let root = try JSONDocument(body).root
        let envelope = EventMapping.Envelope(
            context: root["context"], sentAt: try root["sentAt"].map { try EventTimes.instant($0, at: "sentAt") },
            receivedAt: noon)
        var events: [Event] = []
        var rejected: [(index: Int, error: FieldError)] = []
        let items = root["batch"].map { Array($0.elements) } ?? []
        for (index, item) in items.enumerated() {
            do throws(FieldError) {
                events.append(try EventMapping(settings: settings).event(item, call: nil, envelope: envelope))
            } catch {
                rejected.append((index, error))
            }
        }
        return (events, rejected)
    }

    /// How many of the calls took the quick way.
    @discardableResult
    private func compare(_ body: String, _ settings: EventMapping.Settings) throws -> Int {
        let bytes = Array(body.utf8)
        let reading = RequestReading(keys: WriteKeys(["key"]), mapping: EventMapping(settings: settings))
        let outcome = try reading.read(.batch, authorization: "Bearer key", body: bytes, receivedAt: noon)
        let expected = try longWay(bytes, settings)
        #expect(outcome.rejected.map(\.index) == expected.rejected.map(\.index), "\(body)")
        #expect(outcome.rejected.map(\.error) == expected.rejected.map(\.error), "\(body)")
        #expect(outcome.events == PackedEvents(expected.events), "\(body)")
        #expect(try outcome.events.events() == expected.events, "\(body)")
        return outcome.quick
    }

    @Test("random calls, usual and not, come out as the long way has them", arguments: 1...40 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var calls = RandomCalls(seed: seed)
        for settings in Self.installations {
            for _ in 0..<25 { try compare(calls.batch(), settings) }
        }
    }

    @Test("the calls of a usual shop take the quick way")
    func usual() throws {
        let order =
            "\"order_id\":\"o-1\",\"revenue\":25.00,\"total\":\"30.1\",\"currency\":\"USD\",\"coupon\":\"ü\",\"products\":"
            + "[{\"product_id\":\"p1\",\"name\":\"Grüner \\\"Tee\\\"\","
            + "\"price\":12.5,\"quantity\":2,\"category\":\"Tee\",\"url\":\"/\"}]"
        let calls = [
            "\"event\":\"Order Completed\",\"userId\":\"u1\",\"properties\":{\(order)}",
            "\"event\":\"Order Refunded\",\"userId\":\"u1\",\"anonymousId\":\"a-1\",\"properties\":{\(order)}",
            "\"event\":\"Product Viewed\",\"anonymousId\":\"3f2\",\"properties\":{\"sku\":7,\"price\":\"0.995\"}",
            "\"event\":\"Email Opened\",\"userId\":12,\"context\":{\"library\":{\"name\":\"x\"}},\"properties\":{}",
            "\"event\":\"Something Else\",\"userId\":\"u1\",\"integrations\":{},\"properties\":{\"a\":[1,{\"b\":2}]}",
            "\"event\":\"Nothing With It\",\"userId\":\"u1\",\"timestamp\":\"2026-11-22T11:59:00.123Z\",\"sentAt\":null",
        ].map { "{\"type\":\"track\",\"messageId\":\"m\",\($0)}" }
        for call in calls {
            #expect(try compare("{\"batch\":[\(call)]}", EventMapping.Settings(timeMode: .live)) == 1, "\(call)")
        }
    }

    @Test("numbers of any form come out as the long way has them", arguments: 0...4)
    func numbers(digits: Int) throws {
        let numbers = [
            "0", "1", "12.5", "0.005", "0.015", "0.025", "0.0250000001", "19.990000000000002", "1e3", "-0", "-1", "\"1.\"",
            "\".5\"",
            "\"\"", "\".\"", "\"1.2.3\"", "\" 7 \"", "\"+7\"", "999999999999999999", "1000000000000000000", "0.00000000000000001",
            "0.5", "1.5", "2.5", "0.49999999999999999", "123456789012345.675", "true", "null", "[]", "\"\\u0031\"", "\"0x10\"",
            "900719925474099.2", "100000000000000", "100000000000000.01", "99999999.5", "4294967296", "1000000", "1000001",
        ]
        let settings = EventMapping.Settings(timeMode: .live, currency: "USD", currencyDigits: digits)
        let views = numbers.flatMap { number in
            ["price", "quantity"].map { field in
                "{\"type\":\"track\",\"event\":\"Product Viewed\",\"userId\":\"u\",\"properties\":"
                    + "{\"sku\":\"s\",\"\(field)\":\(number)}}"
            }
        }
        try compare("{\"batch\":[\(views.joined(separator: ","))]}", settings)
        let orders = numbers.flatMap { first in
            numbers.map { second in
                "{\"type\":\"track\",\"event\":\"Order Completed\",\"userId\":\"u\",\"properties\":"
                    + "{\"order_id\":\"s\",\"total\":\(first),\"tax\":\(second)}}"
            }
        }
        try compare("{\"batch\":[\(orders.joined(separator: ","))]}", settings)
    }

    @Test("every placeholder is one the quick way too, in any case and whatever field it stands in")
    func placeholders() throws {
        let words = [
            "", "null", "(null)", "nil", "none", "undefined", "nan", "anonymous", "unknown", "guest", "n/a", "na", "not set",
            "(not set)", "[object object]", "true", "false", "-1", "0", "000-0", "-", "test@test.com", "example@example.com",
            "no@email.com", "noemail@noemail.com", "email@example.com", "none@none.com", "test@example.com", "nobody", "gues",
        ]
        let calls = words.flatMap { word in [word, word.uppercased(), word + "1", "1" + word] }.flatMap { word in
            [
                "\"userId\":\"\(word)\",\"anonymousId\":\"a1\",\"properties\":{\"sku\":\"s\"}",
                "\"userId\":\"u1\",\"anonymousId\":\"\(word)\",\"properties\":{\"sku\":\"s\"}",
                "\"userId\":\"u1\",\"properties\":{\"sku\":\"\(word)\"}",
            ].map { "{\"type\":\"track\",\"event\":\"Product Viewed\",\($0)}" }
        }
        try compare("{\"batch\":[\(calls.joined(separator: ","))]}", EventMapping.Settings(timeMode: .live))
    }
}

/// Calls as they may come, many of them odd in one way or another.
private struct RandomCalls {
    private var random: SplitMix

    init(seed: UInt64) { random = SplitMix(seed: seed) }

    private mutating func chance(_ percent: UInt64) -> Bool { random.next() % 100 < percent }
    private mutating func pick<Value>(_ values: [Value]) -> Value { values[Int(random.next() % UInt64(values.count))] }

    mutating func batch() -> String {
        var members = ["\"batch\":[\((0..<4).map { _ in call() }.joined(separator: ","))]"]
        if chance(20) { members.append("\"context\":\(context())") }
        if chance(20) { members.append("\"sentAt\":\(pick(["\"2026-11-22T12:00:30Z\"", "\"2026-11-22T10:00:00+00:00\""]))") }
        return "{\(members.joined(separator: ","))}"
    }

    private mutating func call() -> String {
        if chance(2) { return pick(["7", "[]", "null", "\"x\"", "{}"]) }
        var members: [String] = []
        if !chance(2) {
            members.append("\"type\":\(pick(Array(repeating: "\"track\"", count: 30) + ["\"identify\"", "\"page\"", "7"]))")
        }
        if !chance(2) { members.append("\"event\":\(name())") }
        if chance(85) { members.append("\"userId\":\(id())") }
        if chance(30) { members.append("\"anonymousId\":\(id())") }
        if chance(80) { members.append("\"messageId\":\(text())") }
        if chance(60) { members.append("\"timestamp\":\(time())") }
        if chance(5) { members.append("\"originalTimestamp\":\(time())") }
        if chance(10) { members.append("\"sentAt\":\(time())") }
        if chance(20) { members.append("\"context\":\(context())") }
        if chance(3) { members.append("\"traits\":{\"email\":\"a@b.de\"}") }
        if chance(3) { members.append("\"user\\u0049d\":\"other\"") }
        if chance(3) { members.append("\"userId\":\(id())") }
        if chance(90) { members.append("\"properties\":\(chance(3) ? pick(["null", "[]", "7"]) : "{\(properties())}")") }
        return "{\(shuffled(members).joined(separator: ","))}"
    }

    private mutating func shuffled(_ members: [String]) -> [String] {
        var members = members
        for index in members.indices.dropFirst() { members.swapAt(index, Int(random.next() % UInt64(index + 1))) }
        return members
    }

    private mutating func name() -> String {
        let known = EventMeaning.names.map(\.name)
        let name =
            chance(80) ? pick(known) : pick(["Something", "order_completed", "PRODUCT-VIEWED", "", " Order Paid", "\\u00e4"])
        return chance(2) ? "7" : "\"\(name)\""
    }

    private mutating func id() -> String {
        if chance(80) { return "\"id-\(random.next() % 1000)\"" }
        return pick([
            "\"0\"", "null", "\"null\"", "\"ANONYMOUS\"", "7", "1.50", "\"ü\"", "\"\\u00fc\"", "\" x\"", "\"a\\u0000\"",
            "\"a\\tb\"",
            "\"\"", "true", "[]", "\"\(String(repeating: "x", count: Int(random.next() % 300)))\"", "\"-1\"", "\"test@test.com\"",
        ])
    }

    private mutating func text() -> String {
        if chance(75) { return "\"Tea \(random.next() % 100)\"" }
        return pick([
            "\"\"", "null", "7", "\"grün\"", "\"\\\"\\n\"", "\"x \"", "\"\\u0000\"", "{}", "false", "\"\\ud83d\\ude00\"",
            "\"\(String(repeating: "y", count: Int(random.next() % 400)))\"",
        ])
    }

    private mutating func time() -> String {
        if chance(70) { return "\"2026-11-\(10 + random.next() % 13)T1\(random.next() % 10):00:0\(random.next() % 10).5Z\"" }
        return pick([
            "\"2026-11-22\"", "1795348800", "1795348800123", "\"1795348800\"", "null", "\"yesterday\"",
            "\"1970-01-01T00:00:00Z\"",
            "\"2026-11-30T00:00:00Z\"", "\"2026-11-22t11:00:00+0300\"", "\"2026-11-22 11:00\"", "\" 2026-11-22\"", "true",
            "\"2019-01-01T00:00:00Z\"", "\"2026-02-30T00:00:00Z\"", "\"2026-11-22T11:00:00\\u005a\"",
        ])
    }

    private mutating func number() -> String {
        if chance(75) { return "\(random.next() % 500).\(10 + random.next() % 90)" }
        return pick(["0", "\"12.50\"", "\" 3\"", "-1", "1e2", "null", "\"\"", "\"x\"", "true", "12.345", "1e30", "0.005", "5"])
    }

    private mutating func context() -> String {
        pick([
            "{}", "{\"library\":{\"name\":\"js\"}}", "null", "{\"traits\":{\"email\":\"c@d.de\"}}", "{\"ip\":\"1.2.3.4\"}",
            "{\"externalIds\":[{\"type\":\"card\",\"id\":\"77\"}]}", "{\"locale\":\"de\",\"timezone\":\"Europe/Berlin\"}",
            "{\"tr\\u0061its\":{\"email\":\"c@d.de\"}}", "{\"traits\":null}",
        ])
    }

    private mutating func line() -> [String] {
        var members: [String] = []
        if chance(90) { members.append("\"\(pick(["product_id", "product_id", "productId", "sku"]))\":\(id())") }
        if chance(10) { members.append("\"sku\":\(id())") }
        if chance(50) { members.append("\"name\":\(text())") }
        if chance(50) { members.append("\"category\":\(text())") }
        if chance(20) { members.append("\"brand\":\(text())") }
        if chance(70) { members.append("\"price\":\(number())") }
        if chance(50) { members.append("\"quantity\":\(chance(80) ? "\(1 + random.next() % 5)" : number())") }
        if chance(5) { members.append("\"url\":\"https://shop.example\"") }
        return members
    }

    private mutating func properties() -> String {
        var members = line()
        if chance(70) { members.append("\"\(pick(["order_id", "order_id", "orderId"]))\":\(id())") }
        if chance(40) {
            let lines = (0..<random.next() % 4).map { _ in "{\(line().joined(separator: ","))}" }
            members.append("\"products\":[\(lines.joined(separator: ","))]")
        }
        if chance(3) { members.append("\"products\":\(pick(["{}", "null", "[7]", "\"x\""]))") }
        for name in ["revenue", "total", "subtotal", "shipping", "tax", "discount"] where chance(25) {
            members.append("\"\(name)\":\(number())")
        }
        if chance(20) { members.append("\"coupon\":\(text())") }
        if chance(30) {
            members.append("\"currency\":\(pick(["\"USD\"", "\"usd\"", "\"EUR\"", "\"JPY\"", "null", "\"\"", "\"KWD\"", "7"]))")
        }
        if chance(5) { members.append("\"channel\":\(pick(["\"email\"", "\"sms\"", "\"fax\"", "null"]))") }
        if chance(5) { members.append("\"action_id\":\(pick(["\"0123456789abcdef0123456789abcdef\"", "\"7\"", "null"]))") }
        if chance(5) { members.append("\"email\":\"e@f.de\"") }
        return shuffled(members).joined(separator: ",")
    }
}
