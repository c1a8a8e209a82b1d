import Foundation
import Gateway
import Model
import Ports
import SimulatedPorts
import TestSupport
import Testing

@Suite struct LiveServerTests {
    static let good: [(String, String)] = [
        ("/v1/identify", "{\"userId\":\"7\",\"traits\":{\"email\":\"a@b.c\"}}"),
        ("/v1/track", "{\"userId\":\"7\",\"event\":\"x\"}"),
        ("/v1/page", "{\"anonymousId\":\"7\"}"), ("/v1/screen", "{\"userId\":7}"),
        ("/v1/group", "{\"userId\":\"7\",\"groupId\":\"g\"}"),
        ("/v1/alias", "{\"userId\":\"7\",\"previousId\":\"p\"}"),
        ("/v1/batch", "{\"batch\":[{\"type\":\"page\",\"userId\":\"7\"}]}"),
        ("/v1/batch/", "{\"batch\":[{\"type\":\"page\",\"userId\":\"7\"}]}"),
    ]

    @Test func `I1 every call is answered when it stands in the log`() async throws {
        try await RunningGateway.run { gateway in
            for (index, call) in Self.good.enumerated() {
                let answer = try await gateway.post(call.0, call.1)
                #expect(answer.status == 200)
                #expect(answer.text == "{\"success\":true}")
                #expect(try gateway.events().count == index + 1)
            }
        }
    }

    /// Path, body, headers, status, code, what the message must name.
    struct Bad: Sendable, CustomTestStringConvertible {
        let name: String
        var path = "/v1/track"
        var method = "POST"
        var body: [UInt8] = []
        var headers = ["Authorization": "Bearer key"]
        let status: Int
        let code: String
        var names = ""
        var testDescription: String { name }
    }

    static func track(_ properties: String, _ more: String = "") -> [UInt8] {
        Array("{\"userId\":\"7\",\"event\":\"Order Completed\",\(more)\"properties\":{\"order_id\":\"o\",\(properties)}}".utf8)
    }

    static let bad: [Bad] = [
        Bad(name: "broken JSON", body: Array("{\"userId\":\"7\",".utf8), status: 400, code: "bad_json", names: "byte 14"),
        Bad(name: "no body", status: 400, code: "bad_json"),
        Bad(name: "10 MB", body: [UInt8](repeating: 32, count: 10 << 20), status: 413, code: "body_too_large", names: "4194304"),
        Bad(
            name: "wrong key", body: track("\"revenue\":1"), headers: ["Authorization": "Bearer nope"], status: 401,
            code: "unauthorized"),
        Bad(name: "no key", body: track("\"revenue\":1"), headers: [:], status: 401, code: "unauthorized"),
        Bad(name: "missing ids", body: Array("{\"event\":\"x\"}".utf8), status: 400, code: "missing_field", names: "userId"),
        Bad(
            name: "negative amount", body: track("\"revenue\":-1"), status: 400, code: "out_of_range", names: "properties.revenue"
        ),
        Bad(
            name: "absurd amount", body: track("\"revenue\":1e20"), status: 400, code: "out_of_range", names: "properties.revenue"
        ),
        Bad(
            name: "time in 1970", body: track("\"revenue\":1", "\"timestamp\":\"1970-01-01T00:00:00Z\","), status: 400,
            code: "time_out_of_range", names: "timestamp"),
        Bad(
            name: "time in 2090", body: track("\"revenue\":1", "\"timestamp\":\"2090-01-01T00:00:00Z\","), status: 400,
            code: "time_out_of_range", names: "timestamp"),
        Bad(
            name: "another currency", body: track("\"currency\":\"EUR\""), status: 400, code: "wrong_currency",
            names: "properties.currency"),
        Bad(
            name: "10,000 items", body: track("\"products\":[\(Array(repeating: "1", count: 10_000).joined(separator: ","))]"),
            status: 400,
            code: "too_large", names: "properties.products"),
        Bad(
            name: "event over 32 KB", body: track("\"x\":\"\(String(repeating: "x", count: 33_000))\""), status: 400,
            code: "too_large", names: "32768"),
        Bad(
            name: "invalid UTF-8", body: Array("{\"userId\":\"".utf8) + [0xff] + Array("\"}".utf8), status: 400, code: "bad_json",
            names: "UTF-8 at byte 11"),
        Bad(name: "NUL", body: Array("{\"userId\":\"a\u{0}\"}".utf8), status: 400, code: "bad_json", names: "byte 12"),
        Bad(
            name: "escaped NUL", body: Array("{\"userId\":\"a\\u0000\",\"event\":\"x\"}".utf8), status: 400,
            code: "invalid_field", names: "userId"),
        Bad(
            name: "deep nesting", body: [UInt8](repeating: UInt8(ascii: "["), count: 100_000), status: 400, code: "bad_json",
            names: "nested"),
        Bad(
            name: "not gzip", body: Array("{}".utf8), headers: ["Authorization": "Bearer key", "Content-Encoding": "gzip"],
            status: 400, code: "bad_gzip"),
        Bad(
            name: "unknown encoding", body: Array("{}".utf8), headers: ["Authorization": "Bearer key", "Content-Encoding": "br"],
            status: 400, code: "unknown_encoding"),
        Bad(
            name: "all of a batch is bad", path: "/v1/batch", body: Array("{\"batch\":[{},{\"type\":\"x\"}]}".utf8), status: 400,
            code: "events_rejected", names: "type"),
        Bad(
            name: "an empty batch", path: "/v1/batch", body: Array("{\"batch\":[]}".utf8), status: 400, code: "invalid_field",
            names: "batch"),
        Bad(name: "unknown path", path: "/v1/import", status: 404, code: "not_found"),
        Bad(name: "unknown path below api", path: "/api/x", method: "GET", status: 404, code: "not_found"),
        Bad(name: "GET where POST is", method: "GET", status: 405, code: "method_not_allowed", names: "POST"),
        Bad(
            name: "DELETE where GET is", path: "/health", method: "DELETE", status: 405,
            code: "method_not_allowed", names: "GET"),
        Bad(name: "api without key", path: "/api/status", method: "GET", headers: [:], status: 401, code: "unauthorized"),
        Bad(name: "api with a write key", path: "/api/status", method: "GET", status: 401, code: "unauthorized"),
        Bad(
            name: "api while nobody serves", path: "/api/status", method: "GET", headers: ["Authorization": "Bearer admin&key"],
            status: 503, code: "nobody_answers"),
    ]

    @Test func `bad input gets an error that names it, nothing is written, and the next request is served`() async throws {
        try await RunningGateway.run { gateway in
            for bad in Self.bad {
                let answer = try await gateway.send(
                    bad.method, bad.path, body: bad.method == "POST" ? bad.body : nil, headers: bad.headers)
                #expect(answer.status == bad.status, "\(bad.name): \(answer.text)")
                let json = try answer.json()
                #expect(json["code"]?.string == bad.code, "\(bad.name): \(answer.text)")
                #expect(json["message"]?.string?.contains(bad.names) == true || bad.names.isEmpty, "\(bad.name): \(answer.text)")
                #expect(answer.headers["content-type"]?.hasPrefix("application/json") == true)
            }
            #expect(try gateway.events().isEmpty)
            #expect(try await gateway.post("/v1/page", "{\"userId\":\"7\"}").status == 200)
        }
    }

    @Test func `I8 a bomb is refused without being unpacked`() async throws {
        let bomb = try gzipped([UInt8](repeating: 0x20, count: 200 << 20))
        try await RunningGateway.run { gateway in
            let answer = try await gateway.send(
                "POST", "/v1/batch", body: bomb, headers: ["Authorization": "Bearer key", "Content-Encoding": "gzip"])
            #expect(answer.status == 413)
        }
    }

    @Test func `I7 a batch keeps its good events and tells of the bad`() async throws {
        try await RunningGateway.run { gateway in
            let answer = try await gateway.post(
                "/v1/batch",
                "{\"batch\":[{\"type\":\"page\",\"userId\":\"1\"},{\"type\":\"page\"},{\"type\":\"page\",\"userId\":\"2\"}]}")
            #expect(answer.status == 200)
            let json = try answer.json()
            #expect(json["success"]?.bool == true)
            #expect(json["accepted"]?.number == "2")
            let rejected = try #require(json["rejected"]?.elements.map { $0 }.first)
            #expect(rejected["index"]?.number == "1")
            #expect(rejected["field"]?.string == "userId")
            #expect(rejected["code"]?.string == "missing_field")
            #expect(Set(try gateway.events().map(\.customer.text)) == ["u:1", "u:2"])
            let metrics = try await gateway.send("GET", "/metrics").text
            #expect(metrics.contains("reprise_gateway_events_accepted_total 2\n"))
            #expect(metrics.contains("reprise_gateway_events_rejected_total{reason=\"missing_field\"} 1\n"))
            #expect(metrics.contains("reprise_gateway_requests_total{path=\"/v1/batch\",status=\"200\"} 1\n"))
        }
    }

    @Test func `I6 one customer's events keep their order in a large batch`() async throws {
        try await RunningGateway.run { gateway in
            let filler = String(repeating: "f", count: 400)
            let items = (0..<2500).map {
                "{\"type\":\"track\",\"userId\":\"c\($0 % 3)\",\"event\":\"e\($0)\",\"properties\":{\"f\":\"\(filler)\"}}"
            }
            gateway.logs.script(.writtenAmbiguous, on: .input(gateway.shards.shard(of: .user("c0"))))
            gateway.logs.script(.lostAmbiguous, on: .input(gateway.shards.shard(of: .user("c0"))))
            #expect(try await gateway.post("/v1/batch", "{\"batch\":[\(items.joined(separator: ","))]}").status == 200)
            for user in 0..<3 {
                let names = try gateway.events().filter { $0.customer == .user("c\(user)") }.map { event in
                    if case .named(let name, _) = event.body { name } else { "?" }
                }
                let isInOrder = names == (0..<2500).filter { $0 % 3 == user }.map { "e\($0)" }
                #expect(isInOrder)
            }
        }
    }

    @Test func `I1 a log that does not answer gives 503 and Retry-After, and is used again when it is back`() async throws {
        try await RunningGateway.run { gateway in
            let log = LogName.input(gateway.shards.shard(of: .user("7")))
            gateway.logs.setBound(log, bytesMax: 10)
            let full = try await gateway.post("/v1/page", "{\"userId\":\"7\"}")
            #expect(full.status == 503)
            #expect(full.headers["retry-after"] != nil)
            #expect(try full.json()["code"]?.string == "log_full")
            gateway.logs.setBound(log, bytesMax: nil)
            gateway.logs.setAvailable(log, false)
            async let waiting = gateway.post("/v1/page", "{\"userId\":\"7\"}")
            try await eventually("it tries again") { gateway.logs.appendCalls(to: log) >= 4 }
            gateway.logs.setAvailable(log, true)
            #expect(try await waiting.status == 200)
            #expect(try gateway.events().count == 1)
        }
    }

    @Test func `I8 a nearly full input log refuses before it is full`() async throws {
        try await RunningGateway.run { gateway in
            let log = LogName.input(gateway.shards.shard(of: .user("7")))
            #expect(try await gateway.post("/v1/page", "{\"userId\":\"7\"}").status == 200)
            let bytes = try await gateway.logs.state(of: log).bytes
            gateway.logs.setBound(log, bytesMax: bytes * 100 / 95)
            try await eventually("the gateway sees how full the log is") {
                try await gateway.send("GET", "/metrics").text.contains("reprise_gateway_input_fill_ratio 0.9")
            }
            let calls = gateway.logs.appendCalls(to: log)
            let answer = try await gateway.post("/v1/page", "{\"userId\":\"7\"}")
            #expect(answer.status == 503)
            #expect(try answer.json()["code"]?.string == "log_full")
            #expect(gateway.logs.appendCalls(to: log) == calls)
        }
    }

    @Test func `I8 beyond its bytes in flight the gateway answers 429`() async throws {
        try await RunningGateway.run(bytesInFlightMax: 1000) { gateway in
            let answer = try await gateway.post(
                "/v1/page", "{\"userId\":\"7\",\"properties\":{\"x\":\"\(String(repeating: "x", count: 1000))\"}}")
            #expect(answer.status == 429)
            #expect(answer.headers["retry-after"] == "1")
            #expect(try answer.json()["code"]?.string == "overloaded")
            #expect(try await gateway.post("/v1/page", "{\"userId\":\"7\"}").status == 200)
        }
    }

    @Test func `the configuration's currency is followed`() async throws {
        let euro = RuleSet(currency: "EUR", currencyDigits: 2)
        try await RunningGateway.run(prepare: { logs in
            logs.append(to: .configuration, euro.encoded(), expecting: nil, id: nil) { _ in }
        }) { gateway in
            let order = { @Sendable (currency: String) in
                "{\"userId\":\"7\",\"event\":\"Order Completed\","
                    + "\"properties\":{\"order_id\":1,\"revenue\":1.5,\"currency\":\"\(currency)\"}}"
            }
            #expect(try await gateway.post("/v1/track", order("EUR")).status == 200)
            #expect(try await gateway.post("/v1/track", order("USD")).status == 400)
            _ = try await gateway.logs.append(to: .configuration, RuleSet(currency: "JPY", currencyDigits: 0).encoded())
            try await eventually("the new currency is known") {
                try await gateway.post("/v1/track", order("JPY")).status == 200
            }
            #expect(try await gateway.post("/v1/track", order("EUR")).status == 400)
        }
    }

    @Test func `stopping finishes what is open`() async throws {
        let answered = try await withThrowingTaskGroup(of: Int.self) { group in
            try await RunningGateway.run { gateway in
                let log = LogName.input(gateway.shards.shard(of: .user("7")))
                gateway.logs.setAvailable(log, false)
                let posted = gateway
                group.addTask { try await posted.post("/v1/page", "{\"userId\":\"7\"}").status }
                try await eventually("the append is under way") { gateway.logs.appendCalls(to: log) >= 1 }
                // It comes back while the gateway is being stopped: several tries later.
                let tries = gateway.logs.appendCalls(to: log)
                group.addTask {
                    try await eventually("it still tries") { posted.logs.appendCalls(to: log) >= tries + 3 }
                    posted.logs.setAvailable(log, true)
                    return 0
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(answered == 200)
    }

    @Test func `what reads needs the admin key, and gets what the roles answer`() async throws {
        try await RunningGateway.run { gateway in
            let serving = [
                try await gateway.messaging.serve("coordinator.status") { _ in Array("{\"epoch\":1}".utf8) },
                try await gateway.messaging.serve("coordinator.mechanics") { _ in Array("{\"rows\":[]}".utf8) },
            ]
            let key = CustomerKey("u:Анна/1")
            let shard = gateway.shards.shard(of: key)
            let customer = try await gateway.messaging.serve("shard.\(shard).customer") { payload in
                Array("{\"found\":\(payload == Array(key.text.utf8))}".utf8)
            }
            let bearer = ["Authorization": "Bearer admin&key"]
            #expect(try await gateway.send("GET", "/api/status", headers: bearer).text == "{\"epoch\":1}")
            #expect(try await gateway.send("GET", "/api/mechanics?key=admin%26key").text == "{\"rows\":[]}")
            #expect(try await gateway.send("GET", "/api/mechanics?key=wrong").status == 401)
            let path = "/api/customers/u:%D0%90%D0%BD%D0%BD%D0%B0%2F1"
            #expect(try await gateway.send("GET", path, headers: bearer).text == "{\"found\":true}")
            let strangers = (0..<100).map { "u:\($0)" }.filter { gateway.shards.shard(of: CustomerKey($0)) == shard }
            let stranger = try #require(strangers.first)
            #expect(try await gateway.send("GET", "/api/customers/\(stranger)", headers: bearer).status == 404)
            for registration in serving + [customer] { registration.close() }

            let page = try await gateway.send("GET", "/")
            #expect(page.status == 200)
            #expect(page.text.contains("<title>Reprise</title>"))
            #expect(!page.text.contains("http://") || !page.text.contains("src=\"http"))
            let entered = try await gateway.send("GET", "/?key=admin%26key")
            #expect(entered.status == 303)
            let cookie = try #require(entered.headers["set-cookie"])
            #expect(cookie.contains("HttpOnly"))
            let pair = try #require(cookie.split(separator: ";").first)
            #expect(try await gateway.send("GET", "/api/status", headers: ["Cookie": "a=b; \(pair)"]).status == 503)
            #expect(try await gateway.send("GET", "/api/status", headers: ["Cookie": "reprise_key=00"]).status == 401)
        }
    }

    @Test func `browsers may post from another site`() async throws {
        try await RunningGateway.run { gateway in
            let preflight = try await gateway.send("OPTIONS", "/v1/track", headers: ["Origin": "https://shop.example"])
            #expect(preflight.status == 204)
            #expect(preflight.headers["access-control-allow-origin"] == "*")
            #expect(try await gateway.post("/v1/page", "{\"userId\":\"7\"}").headers["access-control-allow-origin"] == "*")
            #expect(try await gateway.send("GET", "/health").text == "{\"status\":\"ok\"}")
        }
    }
}
