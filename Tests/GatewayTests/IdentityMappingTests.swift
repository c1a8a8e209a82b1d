import Gateway
import Model
import Testing

@Suite struct IdentityMappingTests {
    static let keys: [(String, String)] = [
        ("\"userId\":\"42\"", "u:42"), ("\"userId\":42", "u:42"), ("\"userId\":\" 42 \"", "u:42"),
        ("\"userId\":\"42\",\"anonymousId\":\"x\"", "u:42"),
        ("\"anonymousId\":\"x-1\"", "a:x-1"), ("\"userId\":null,\"anonymousId\":\"x\"", "a:x"),
        ("\"userId\":\"\",\"anonymousId\":\"x\"", "a:x"),
        ("\"userId\":\"null\",\"anonymousId\":\"x\"", "a:x"), ("\"userId\":\"-1\",\"anonymousId\":\"x\"", "a:x"),
        ("\"userId\":-1,\"anonymousId\":\"x\"", "a:x"),
        ("\"userId\":0,\"anonymousId\":\"x\"", "a:x"), ("\"userId\":\"Anonymous\",\"anonymousId\":\"x\"", "a:x"),
        ("\"userId\":\"undefined\",\"anonymousId\":\"x\"", "a:x"),
        ("\"userId\":\"00000000-0000-0000-0000-000000000000\",\"anonymousId\":\"x\"", "a:x"),
        ("\"userId\":\"---\",\"anonymousId\":\"x\"", "a:x"), ("\"userId\":\"[object Object]\",\"anonymousId\":\"x\"", "a:x"),
        ("\"userId\":\"NaN\",\"anonymousId\":\"x\"", "a:x"), ("\"userId\":\"   \",\"anonymousId\":\"x\"", "a:x"),
        ("\"userId\":\"клиент\"", "u:клиент"), ("\"userId\":\"100\"", "u:100"), ("\"userId\":\"10-01\"", "u:10-01"),
        (
            "\"context\":{\"externalIds\":[{\"id\":\" Ann@Shop.COM \","
                + "\"type\":\"email\",\"collection\":\"users\",\"encoding\":\"none\"}]}",
            "email:ann@shop.com"
        ),
        ("\"context\":{\"externalIds\":[{\"id\":\"+7 (912) 345-67-89\",\"type\":\"phone\"}]}", "phone:79123456789"),
        ("\"context\":{\"externalIds\":[{\"id\":\"C-77\",\"type\":\"card\"}]}", "card:C-77"),
        ("\"context\":{\"externalIds\":[{\"id\":77,\"type\":\"loyalty_card\"}]}", "card:77"),
        ("\"context\":{\"externalIds\":[{\"id\":\"C\",\"type\":\"card\"},{\"id\":\"a@b.c\",\"type\":\"email\"}]}", "email:a@b.c"),
        ("\"context\":{\"externalIds\":[{\"id\":\"null\",\"type\":\"email\"},{\"id\":\"C\",\"type\":\"card\"}]}", "card:C"),
        ("\"context\":{\"externalIds\":[{\"id\":\"g\",\"type\":\"ga_client\"}],\"traits\":{\"email\":\"A@b.c\"}}", "email:a@b.c"),
        ("\"traits\":{\"email\":\"A@B.c\",\"phone\":\"12345\"}", "email:a@b.c"),
        ("\"traits\":{\"phone\":\"12345\"}", "phone:12345"),
        ("\"traits\":{\"email\":\"test@test.com\",\"phone\":\"12345\"}", "phone:12345"),
        ("\"properties\":{\"card\":\"77\"}", "card:77"),
        ("\"properties\":{\"email\":\"x@y.z\"}", "email:x@y.z"), ("\"userId\":\"email:x\"", "u:email:x"),
    ]

    @Test("whose an event is", arguments: keys)
    func finds(fields: String, key: String) throws {
        #expect(try mapped("{\"event\":\"x\",\(fields)}").customer.text == key)
    }

    static let bad: [(String, FieldError.Code, String)] = [
        ("\"userId\":true", .invalid, "userId"), ("\"userId\":[1]", .invalid, "userId"),
        ("\"userId\":\"a\\u0000\"", .invalid, "userId"),
        ("\"userId\":\"a\\nb\"", .invalid, "userId"),
        ("\"userId\":\"\(String(repeating: "u", count: 195))\"", .tooLarge, "userId"),
        ("\"anonymousId\":{}", .invalid, "anonymousId"), ("\"userId\":\"null\"", .missing, "userId"),
        ("\"userId\":null", .missing, "userId"),
        ("\"userId\":\"\",\"anonymousId\":\"-\"", .missing, "userId"),
        ("\"traits\":{\"email\":\"not an address\"}", .invalid, "traits.email"),
        (
            "\"context\":{\"externalIds\":[{\"type\":\"card\"},{\"id\":\"abc\",\"type\":\"phone\"}]}", .invalid,
            "context.externalIds[1].id"
        ),
    ]

    @Test("nobody's events are refused", arguments: bad)
    func refuses(fields: String, code: FieldError.Code, field: String) throws {
        let error = try refused("{\"event\":\"x\",\(fields)}")
        #expect(error?.code == code)
        #expect(error?.field == field)
    }

    @Test func `a batch's context names the customer too`() throws {
        let event = try mapped("{\"event\":\"x\",\"context\":{\"ip\":\"::1\"}}", context: "{\"traits\":{\"email\":\"a@b.c\"}}")
        #expect(event.customer.text == "email:a@b.c")
    }

    // MARK: identify

    static let traits: [(String, [Model.Trait])] = [
        ("\"traits\":{}", []), ("\"traits\":null", []), ("\"x\":1", []),
        ("\"traits\":{\"email\":\" Ann@shop.com \"}", [Model.Trait("email", "Ann@shop.com")]),
        (
            "\"context\":{\"traits\":{\"email\":\"a@b.c\",\"firstName\":\"Ann\"}}",
            [Model.Trait("email", "a@b.c"), Model.Trait("first_name", "Ann")]
        ),
        (
            "\"traits\":{\"first_name\":\"A\",\"firstName\":\"B\",\"lastName\":\"L\",\"name\":\"N\"}",
            [Model.Trait("first_name", "A"), Model.Trait("last_name", "L"), Model.Trait("name", "N")]
        ),
        (
            "\"traits\":{\"city\":\"Perm\"},\"context\":{\"traits\":{\"address\":{\"city\":\"Ufa\",\"street\":\"S 1\"}}}",
            [Model.Trait("address.street", "S 1"), Model.Trait("city", "Perm")]
        ),
        (
            "\"traits\":{\"address\":{\"city\":\"Perm\",\"geo\":{\"lat\":1.50}}}",
            [Model.Trait("address.geo.lat", "1.50"), Model.Trait("city", "Perm")]
        ),
        ("\"traits\":{\"phone\":\"+7 (912) 345-67-89\"}", [Model.Trait("phone", "+79123456789")]),
        ("\"traits\":{\"phone\":89123456789}", [Model.Trait("phone", "89123456789")]),
        ("\"traits\":{\"birthday\":\"1990-02-28\"}", [Model.Trait("birthday", "1990-02-28")]),
        ("\"traits\":{\"birthday\":\"1990-02-28T00:00:00.000Z\"}", [Model.Trait("birthday", "1990-02-28")]),
        (
            "\"traits\":{\"vip\":true,\"age\":36,\"score\":1.250,\"x\":\"y\"}",
            [Model.Trait("age", "36"), Model.Trait("score", "1.250"), Model.Trait("vip", "true"), Model.Trait("x", "y")]
        ),
        ("\"traits\":{\"tags\":[\"a\",\"b\"]}", [Model.Trait("tags", "[\"a\",\"b\"]")]),
        ("\"traits\":{\"city\":null,\"name\":\"\"}", [Model.Trait("city", ""), Model.Trait("name", "")]),
        ("\"traits\":{\"email\":\"null\",\"phone\":\"-1\",\"city\":\"null\"}", [Model.Trait("city", "null")]),
        (
            "\"context\":{\"timezone\":\"Europe/Moscow\",\"locale\":\"ru-RU\"}",
            [Model.Trait("language", "ru-RU"), Model.Trait("time_zone", "Europe/Moscow")]
        ),
        (
            "\"traits\":{\"timezone\":\"Asia/Tokyo\",\"language\":\"ja\"},\"context\":{\"timezone\":\"UTC\",\"locale\":\"en\"}",
            [Model.Trait("language", "ja"), Model.Trait("time_zone", "Asia/Tokyo")]
        ),
    ]

    @Test("what identify tells", arguments: traits)
    func identify(fields: String, expected: [Model.Trait]) throws {
        #expect(try mapped("{\"userId\":\"7\",\(fields)}", .identify).body == .identify(Identify(traits: expected)))
    }

    static let consents: [(String, [Consent])] = [
        (
            "\"traits\":{\"consent\":{\"email\":true,\"sms\":false}}",
            [Consent(.email, granted: true), Consent(.sms, granted: false)]
        ),
        ("\"context\":{\"consent\":{\"sms\":true}}", [Consent(.sms, granted: true)]),
        (
            "\"context\":{\"consent\":{\"categoryPreferences\":{\"Advertising\":true},\"email\":false}}",
            [Consent(.email, granted: false)]
        ),
        (
            "\"context\":{\"traits\":{\"consent\":{\"email\":true}},\"consent\":{\"email\":false}}",
            [Consent(.email, granted: true)]
        ),
        ("\"traits\":{\"consent\":null}", []), ("\"traits\":{\"consent\":{\"email\":null}}", []),
    ]

    @Test("consents", arguments: consents)
    func consent(fields: String, expected: [Consent]) throws {
        #expect(try mapped("{\"userId\":\"7\",\(fields)}", .identify).body == .identify(Identify(consents: expected)))
    }

    static let badTraits: [(String, FieldError.Code, String)] = [
        ("\"traits\":5", .invalid, "traits"), ("\"context\":{\"traits\":[]}", .invalid, "context.traits"),
        ("\"traits\":{\"email\":\"ann\"}", .invalid, "traits.email"), ("\"traits\":{\"email\":true}", .invalid, "traits.email"),
        ("\"context\":{\"traits\":{\"email\":\"a b@c\"}}", .invalid, "context.traits.email"),
        ("\"traits\":{\"phone\":\"call me\"}", .invalid, "traits.phone"),
        ("\"traits\":{\"phone\":\"1234\"}", .invalid, "traits.phone"),
        ("\"traits\":{\"birthday\":\"31.12.1990\"}", .invalid, "traits.birthday"),
        ("\"traits\":{\"birthday\":\"1700-01-01\"}", .invalid, "traits.birthday"),
        ("\"traits\":{\"birthday\":\"1990-02-30\"}", .invalid, "traits.birthday"),
        ("\"traits\":{\"x\":\"\(String(repeating: "v", count: 513))\"}", .tooLarge, "traits.x"),
        ("\"traits\":{\"x\":\"a\\u0000\"}", .invalid, "traits.x"), ("\"traits\":{\"\":1}", .invalid, "traits."),
        ("\"traits\":{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":1}}}}}}", .tooLarge, "traits.a.b.c.d.e"),
        ("\"traits\":{\"consent\":true}", .invalid, "traits.consent"),
        ("\"traits\":{\"consent\":{\"email\":\"yes\"}}", .invalid, "traits.consent.email"),
        ("\"traits\":{\"consent\":{\"pigeon\":true}}", .invalid, "traits.consent.pigeon"),
    ]

    @Test("a bad trait is refused with its name", arguments: badTraits)
    func refusesTraits(fields: String, code: FieldError.Code, field: String) throws {
        let error = try refused("{\"userId\":\"7\",\(fields)}", .identify)
        #expect(error?.code == code)
        #expect(error?.field == field)
    }

    @Test func `I8 traits are counted`() throws {
        let many = { (count: Int) in
            "{\"userId\":\"7\",\"traits\":{\((0..<count).map { "\"t\($0)\":\($0)" }.joined(separator: ","))}}"
        }
        guard case .identify(let accepted) = try mapped(many(Limits.traitsMax), .identify).body else {
            Issue.record("not an identify")
            return
        }
        #expect(accepted.traits.count == Limits.traitsMax)
        #expect(try refused(many(Limits.traitsMax + 1), .identify)?.field == "traits")
    }
}
