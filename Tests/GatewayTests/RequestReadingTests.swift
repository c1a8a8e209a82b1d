import CZlib
import Gateway
import Model
import Testing

/// Compresses as clients do.
func gzipped(_ bytes: [UInt8]) throws -> [UInt8] {
    var stream = unsafe z_stream()
    try #require(
        unsafe deflateInit2_(
            &stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK)
    defer { unsafe deflateEnd(&stream) }
    var out = [UInt8](repeating: 0, count: Int(unsafe deflateBound(&stream, UInt(bytes.count))) + 32)
    var input = bytes
    let count = unsafe input.withUnsafeMutableBufferPointer { input in
        unsafe out.withUnsafeMutableBufferPointer { out in
            unsafe stream.next_in = input.baseAddress
            unsafe stream.avail_in = UInt32(input.count)
            unsafe stream.next_out = out.baseAddress
            unsafe stream.avail_out = UInt32(out.count)
            _ = unsafe deflate(&stream, Z_FINISH)
            return unsafe out.count - Int(stream.avail_out)
        }
    }
    return Array(out[..<count])
}

@Suite struct RequestReadingTests {
    let reading = RequestReading(keys: WriteKeys(["first", "second key"]), mapping: live)

    func read(
        _ body: String, endpoint: RequestReading.Endpoint = .batch, authorization: String? = "Bearer first"
    ) throws -> RequestReading.Outcome {
        try reading.read(endpoint, authorization: authorization, body: Array(body.utf8), receivedAt: noon)
    }

    func refusal(_ body: String, endpoint: RequestReading.Endpoint = .batch, authorization: String? = "Bearer first") -> Refusal?
    {
        do {
            _ = try read(body, endpoint: endpoint, authorization: authorization)
            return nil
        } catch {
            return error as? Refusal
        }
    }

    static let open: [(String?, String)] = [
        ("Basic Zmlyc3Q6", "null"), ("basic Zmlyc3Q6", "null"), ("Basic Zmlyc3Q", "null"), ("Basic c2Vjb25kIGtleTo=", "null"),
        ("Basic Zmlyc3Q6d2hhdGV2ZXI=", "null"), ("Bearer first", "null"), ("Bearer second key", "null"), (nil, "\"first\""),
        (nil, "\"second key\""),
        ("Basic d3Jvbmc6", "\"first\""), ("Bearer wrong", "\"first\""),
    ]

    @Test("any of the ways opens the door", arguments: open)
    func admits(authorization: String?, writeKey: String) throws {
        let outcome = try read(
            "{\"writeKey\":\(writeKey),\"batch\":[{\"type\":\"page\",\"userId\":\"7\"}]}", authorization: authorization)
        #expect(outcome.events.count == 1)
    }

    static let closed: [(String?, String)] = [
        (nil, "null"), (nil, "\"\""), (nil, "\"wrong\""), (nil, "\"firs\""), (nil, "\"firstfirst\""), ("Basic !!!", "null"),
        ("Basic d3Jvbmc6", "null"),
        ("Bearer ", "null"), ("Bearer firstx", "null"), ("first", "null"), ("Digest first", "null"), ("", "null"), (nil, "5"),
    ]

    @Test("no other way does", arguments: closed)
    func refusesKeys(authorization: String?, writeKey: String) {
        let refusal = refusal(
            "{\"writeKey\":\(writeKey),\"batch\":[{\"type\":\"page\",\"userId\":\"7\"}]}", authorization: authorization)
        #expect(refusal?.status == 401)
        #expect(refusal?.code == "unauthorized")
    }

    @Test func `a wrong key learns nothing about its JSON`() {
        #expect(refusal("{", authorization: "Bearer wrong")?.status == 401)
    }

    @Test(
        "a bad body is refused",
        arguments: [
            ("", "bad_json"), ("{\"batch\":[", "bad_json"), ("[]", "bad_json"), ("{}", "missing_field"),
            ("{\"batch\":null}", "missing_field"),
            ("{\"batch\":{}}", "invalid_field"), ("{\"batch\":[]}", "invalid_field"),
            ("{\"batch\":[1],\"context\":3}", "invalid_field"),
            ("{\"batch\":[1],\"sentAt\":\"x\"}", "invalid_field"),
            ("{\"batch\":[1],\"sentAt\":\"1970-01-01\"}", "time_out_of_range"),
        ])
    func refuses(body: String, code: String) {
        #expect(refusal(body)?.status == 400)
        #expect(refusal(body)?.code == code)
    }

    @Test func `I8 a batch's events are counted`() throws {
        let batch = { (count: Int) in
            "{\"batch\":[\(Array(repeating: "{\"type\":\"page\",\"userId\":\"7\"}", count: count).joined(separator: ","))]}"
        }
        #expect(try read(batch(Limits.bodyEventsMax)).events.count == Limits.bodyEventsMax)
        #expect(refusal(batch(Limits.bodyEventsMax + 1))?.code == "too_many_events")
    }

    @Test func `I7 the good events of a batch go in, the bad ones come back with their reasons`() throws {
        let outcome = try read(
            """
            {"batch":[{"type":"track","userId":"1","event":"a"},{"type":"track","userId":"1"},7,
            {"type":"track","event":"Order Completed","userId":"2","properties":{"order_id":"o","revenue":-1}},
            {"type":"track","userId":"3","event":"b"}]}
            """)
        #expect(try outcome.events.events().map(\.customer.text) == ["u:1", "u:3"])
        #expect(outcome.rejected.map(\.index) == [1, 2, 3])
        #expect(outcome.rejected.map(\.error.field) == ["event", "", "properties.revenue"])
    }

    @Test func `a batch's context stands behind each item's own`() throws {
        let outcome = try read(
            """
            {"sentAt":"2026-11-22T13:00:00Z","context":{"timezone":"UTC","traits":{"email":"a@b.c","city":"Ufa"}},
            "integrations":{"All":true},"batch":[
            {"type":"identify","userId":"1","timestamp":"2026-11-22T12:59:00Z",
            "context":{"timezone":"Asia/Tokyo","traits":{"city":"Perm"}}}]}
            """)
        let event = try #require(outcome.events.events().first)
        #expect(event.time == noon + -60_000)
        #expect(
            event.body
                == .identify(
                    Identify(traits: [
                        Model.Trait("city", "Perm"), Model.Trait("email", "a@b.c"), Model.Trait("time_zone", "Asia/Tokyo"),
                    ])))
    }

    @Test func `gzip is read, in one member or several`() throws {
        let body = Array("{\"batch\":[]}".utf8)
        #expect(try RequestReading.plain(gzipped(body), contentEncoding: "gzip") == body)
        #expect(try RequestReading.plain(gzipped(body) + gzipped(body), contentEncoding: "GZIP") == body + body)
        #expect(try RequestReading.plain(body, contentEncoding: nil) == body)
        for count in [0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_000] {
            let long = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            #expect(try RequestReading.plain(gzipped(long), contentEncoding: "gzip") == long)
        }
    }

    @Test func `I8 a bomb is cut off, a damaged or unknown body refused`() throws {
        let bomb = try gzipped([UInt8](repeating: 0, count: 64 << 20))
        #expect(bomb.count < 100_000)
        #expect(throws: RequestReading.tooLarge) { try RequestReading.plain(bomb, contentEncoding: "gzip") }
        let good = try gzipped(Array("{}".utf8))
        #expect(throws: Refusal.self) { try RequestReading.plain(Array(good.dropLast(3)), contentEncoding: "gzip") }
        #expect(throws: Refusal.self) { try RequestReading.plain(good + [1, 2, 3], contentEncoding: "gzip") }
        #expect(throws: Refusal.self) { try RequestReading.plain([], contentEncoding: "gzip") }
        #expect(throws: Refusal.self) { try RequestReading.plain(Array("{}".utf8), contentEncoding: "gzip") }
        #expect(throws: Refusal.self) { try RequestReading.plain(Array("{}".utf8), contentEncoding: "br") }
        #expect(throws: RequestReading.tooLarge) {
            try RequestReading.plain([UInt8](repeating: 32, count: Limits.bodyBytesMax + 1), contentEncoding: nil)
        }
    }

    @Test func `I4 the same body gives the same events`() throws {
        let body = "{\"batch\":[{\"type\":\"identify\",\"userId\":\"1\",\"traits\":{\"z\":1,\"a\":2,\"m\":{\"y\":1,\"b\":2}}}]}"
        let first = try read(body)
        for _ in 0..<20 { #expect(try read(body) == first) }
    }
}
