import Gateway
import Model
import Testing

@Suite struct EventMappingTests {
    @Test(
        "what nothing understands is kept as it came",
        arguments: [
            "Products Searched", "Product List Viewed", "Product List Filtered", "Cart Viewed", "Checkout Started",
            "Checkout Step Viewed",
            "Checkout Step Completed", "Payment Info Entered", "Coupon Entered", "Coupon Applied", "Coupon Denied",
            "Coupon Removed",
            "Promotion Viewed", "Promotion Clicked", "Cart Shared", "Заявка отправлена", "x",
        ])
    func named(name: String) throws {
        let raw = "{ \"a\" : 1.50, \"b\":[null,\"\\u0041\"] }"
        #expect(try mapped(track(name, raw)).body == .named(name: name, properties: Array(raw.utf8)))
        #expect(
            try mapped("{\"userId\":\"7\",\"event\":\(JSONText.quoted(name))}").body
                == .named(name: name, properties: Array("{}".utf8)))
    }

    static let engagements: [(String, Engagement.Kind)] = [
        ("Email Delivered", .delivered), ("Email Opened", .opened), ("Email Link Clicked", .clicked), ("Email Bounced", .bounced),
        ("Email Marked as Spam", .markedAsSpam), ("Unsubscribed", .unsubscribed),
    ]

    @Test("channel events become engagement", arguments: engagements)
    func engagement(name: String, kind: Engagement.Kind) throws {
        #expect(try mapped(track(name)).body == .engagement(Engagement(kind: kind)))
        let action = ActionID(0xabc)
        #expect(
            try mapped(track(name, "{\"action_id\":\"\(action)\"}")).body == .engagement(Engagement(kind: kind, action: action)))
        #expect(try refused(track(name, "{\"action_id\":\"abc\"}"))?.field == "properties.action_id")
    }

    @Test func `one may leave text messages too`() throws {
        #expect(
            try mapped(track("Unsubscribed", "{\"channel\":\"sms\"}")).body
                == .engagement(Engagement(kind: .unsubscribed, channel: .sms)))
        #expect(try refused(track("Unsubscribed", "{\"channel\":\"fax\"}"))?.field == "properties.channel")
    }

    static let others: [(EventMapping.Call, String, String, String)] = [
        (.page, "{\"userId\":\"7\"}", "Page Viewed", "{}"),
        (
            .page, "{\"userId\":\"7\",\"name\":\"Home\",\"category\":\"A\\\"\",\"properties\":{}}", "Page Viewed",
            "{\"name\":\"Home\",\"category\":\"A\\\"\"}"
        ),
        (
            .page, "{\"userId\":\"7\",\"name\":\"Home\",\"properties\":{\"name\":\"In\",\"url\":\"u\"}}", "Page Viewed",
            "{\"name\":\"In\",\"url\":\"u\"}"
        ),
        (
            .screen, "{\"userId\":\"7\",\"name\":\"Main\",\"properties\":{\"x\":1}}", "Screen Viewed",
            "{\"name\":\"Main\",\"x\":1}"
        ),
        (
            .group, "{\"userId\":\"7\",\"groupId\":\"g1\",\"traits\":{\"plan\":\"p\"}}", "Group Joined",
            "{\"groupId\":\"g1\",\"plan\":\"p\"}"
        ),
        (.group, "{\"userId\":\"7\",\"groupId\":5}", "Group Joined", "{\"groupId\":5}"),
    ]

    @Test("page, screen and group are kept with their names", arguments: others)
    func otherCalls(call: EventMapping.Call, json: String, name: String, properties: String) throws {
        #expect(try mapped(json, call).body == .named(name: name, properties: Array(properties.utf8)))
    }

    @Test func `alias ties a former id to a user`() throws {
        let event = try mapped("{\"previousId\":\"old\",\"userId\":\"new\"}", .alias)
        #expect(event.customer == .user("new"))
        #expect(event.body == .alias(previous: .user("old")))
        let anonymous = try mapped("{\"previousId\":\"x\",\"anonymousId\":\"x\",\"userId\":\"new\"}", .alias)
        #expect(anonymous.body == .alias(previous: .anonymous("x")))
    }

    static let bad: [(EventMapping.Call?, String, FieldError.Code, String)] = [
        (.track, "{\"userId\":\"7\"}", .missing, "event"), (.track, "{\"userId\":\"7\",\"event\":\"  \"}", .missing, "event"),
        (.track, "{\"userId\":\"7\",\"event\":5}", .invalid, "event"),
        (.track, "{\"userId\":\"7\",\"event\":null}", .missing, "event"),
        (.track, "{\"userId\":\"7\",\"event\":\"\(String(repeating: "e", count: 257))\"}", .tooLarge, "event"),
        (.track, "{\"userId\":\"7\",\"event\":\"x\",\"properties\":[]}", .invalid, "properties"),
        (
            .track, "{\"userId\":\"7\",\"event\":\"x\",\"properties\":{\"p\":\"\(String(repeating: "e", count: 16_400))\"}}",
            .tooLarge, "properties"
        ),
        (
            .track, "{\"userId\":\"7\",\"event\":\"x\",\"properties\":{\"p\":\"\(String(repeating: "e", count: 33_000))\"}}",
            .tooLarge, ""
        ),
        (.track, "{\"userId\":\"7\",\"event\":\"x\",\"context\":5}", .invalid, "context"),
        (.track, "{\"event\":\"x\"}", .missing, "userId"), (.identify, "{\"traits\":{}}", .missing, "userId"),
        (
            .track, "{\"userId\":\"7\",\"event\":\"x\",\"messageId\":\"\(String(repeating: "m", count: 101))\"}", .tooLarge,
            "messageId"
        ),
        (.track, "{\"userId\":\"7\",\"event\":\"x\",\"messageId\":{}}", .invalid, "messageId"),
        (.group, "{\"userId\":\"7\"}", .missing, "groupId"), (.alias, "{\"userId\":\"7\"}", .missing, "previousId"),
        (.alias, "{\"previousId\":\"7\"}", .missing, "userId"),
        (.alias, "{\"previousId\":\"7\",\"userId\":\"7\"}", .invalid, "previousId"),
        (nil, "{\"userId\":\"7\"}", .missing, "type"), (nil, "{\"userId\":\"7\",\"type\":\"merge\"}", .unknownType, "type"),
        (nil, "{\"userId\":\"7\",\"type\":5}", .unknownType, "type"), (nil, "[]", .invalid, ""), (nil, "null", .invalid, ""),
    ]

    @Test("a bad call is refused with its field", arguments: bad)
    func refuses(call: EventMapping.Call?, json: String, code: FieldError.Code, field: String) throws {
        let error = try refused(json, call)
        #expect(error?.code == code)
        #expect(error?.field == field)
    }

    @Test("a batch's items say what they are", arguments: EventMapping.Call.allCases)
    func types(call: EventMapping.Call) throws {
        let rest = "\"userId\":\"7\",\"event\":\"x\",\"previousId\":\"p\",\"groupId\":\"g\"}"
        #expect(try mapped("{\"type\":\"\(call.rawValue)\",\(rest)", nil) == mapped("{\(rest)", call))
    }

    @Test func `messageId is hashed as text`() throws {
        let json = { (id: String) in "{\"userId\":\"7\",\"event\":\"x\",\"messageId\":\(id)}" }
        #expect(try mapped(json("\"abc\"")).messageID == Hashing.hash128("abc"))
        #expect(try mapped(json("5")).messageID == Hashing.hash128("5"))
        #expect(try mapped(json("null")).messageID == 0)
        #expect(try mapped(json("\"\"")).messageID == 0)
    }

    // MARK: Times

    static let times: [(String, Instant?, Int64)] = [
        ("", nil, 0), ("\"timestamp\":null,", nil, 0), ("\"timestamp\":\"2026-11-22T11:00:00Z\",", nil, -3_600_000),
        ("\"originalTimestamp\":\"2026-11-22T11:00:00Z\",", nil, -3_600_000), ("\"timestamp\":1795348790,", nil, -10_000),
        ("\"timestamp\":1795348790500,", nil, -9500), ("\"timestamp\":\"1795348790500\",", nil, -9500),
        // The sender's clock is an hour fast: it sent at 13:00 by its own, ten seconds after the event.
        ("\"timestamp\":\"2026-11-22T12:59:50Z\",", Instant(milliseconds: 1_795_352_400_000), -10_000),
        // The item's own sentAt goes before the batch's.
        (
            "\"timestamp\":\"2026-11-22T12:59:50Z\",\"sentAt\":\"2026-11-22T13:00:00Z\",", Instant(milliseconds: 5_000_000_000),
            -10_000
        ),
        ("\"timestamp\":\"2025-11-22T12:00:00Z\",", nil, -365 * 86_400_000),
        ("\"timestamp\":\"2026-11-23T12:00:00Z\",", nil, 86_400_000),
    ]

    @Test("live: when it happened, by the log's clock", arguments: times)
    func liveTimes(fields: String, sentAt: Instant?, offset: Int64) throws {
        #expect(try mapped("{\(fields)\"userId\":\"7\",\"event\":\"x\"}", sentAt: sentAt).time == noon + offset)
    }

    static let badTimes: [(String, FieldError.Code)] = [
        ("\"1970-01-01T00:00:00Z\"", .time), ("\"2090-01-01T00:00:00Z\"", .time), ("\"2100-01-01T00:00:00Z\"", .time),
        ("0", .time),
        ("\"2026-11-23T12:00:00.001Z\"", .time), ("\"2025-11-20T00:00:00Z\"", .time), ("\"noon\"", .invalid), ("true", .invalid),
        ("\"2026-02-30T00:00:00Z\"", .invalid), ("-5", .invalid), ("{}", .invalid), ("1e300", .invalid),
    ]

    @Test("live: impossible times are refused", arguments: badTimes)
    func refusesTimes(value: String, code: FieldError.Code) throws {
        let error = try refused("{\"timestamp\":\(value),\"userId\":\"7\",\"event\":\"x\"}")
        #expect(error?.field == "timestamp")
        #expect(error?.code == code)
    }

    @Test func `live: a bad sentAt is named`() throws {
        #expect(
            try refused("{\"timestamp\":\"2026-11-22T11:00:00Z\",\"sentAt\":\"x\",\"userId\":\"7\",\"event\":\"x\"}")?.field
                == "sentAt")
    }

    @Test func `event time: the time as given, needed, the past allowed`() throws {
        let at = { (text: String) in
            try mapped("{\(text)\"userId\":\"7\",\"event\":\"x\"}", by: eventTime, sentAt: noon + 99_000).time
        }
        #expect(try at("\"timestamp\":\"1997-01-02T00:00:00Z\",") == Instant(milliseconds: 852_163_200_000))
        #expect(try at("\"timestamp\":\"2090-01-02T00:00:00Z\",") > noon)
        #expect(
            try refused("{\"userId\":\"7\",\"event\":\"x\"}", by: eventTime)
                == FieldError(.missing, "timestamp", "is needed: this installation runs in event time"))
        #expect(try refused("{\"timestamp\":\"1979-12-31\",\"userId\":\"7\",\"event\":\"x\"}", by: eventTime)?.code == .time)
        #expect(try refused("{\"timestamp\":\"2100-01-01\",\"userId\":\"7\",\"event\":\"x\"}", by: eventTime)?.code == .time)
    }
}
