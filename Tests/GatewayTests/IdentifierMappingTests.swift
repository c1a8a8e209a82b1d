import Gateway
import Model
import Testing

@Suite struct IdentifierMappingTests {
    static let cases: [(String, [String])] = [
        ("\"userId\":\"42\"", []), ("\"userId\":\"42\",\"anonymousId\":\"x\"", ["a:x"]),
        ("\"anonymousId\":\"x\"", []),
        ("\"userId\":\"42\",\"traits\":{\"email\":\" A@b.c\",\"phone\":\"+1 234 567\"}", ["email:a@b.c", "phone:1234567"]),
        ("\"userId\":\"42\",\"traits\":{\"email\":\"a@b.c\",\"email_verified\":true}", ["email:a@b.c!"]),
        (
            "\"userId\":\"42\",\"context\":{\"traits\":{\"card\":\"C\"},"
                + "\"externalIds\":[{\"id\":\"C\",\"type\":\"card\",\"verified\":true}]}",
            ["card:C!"]
        ),
        (
            "\"userId\":\"42\",\"context\":{\"externalIds\":["
                + "{\"id\":7,\"type\":\"CRM\"},{\"id\":\"\",\"type\":\"crm2\"},{\"id\":\"x\",\"type\":\"b d\"}]}",
            ["ext:crm:7"]
        ),
        ("\"userId\":\"42\",\"traits\":{\"email\":\"test@test.com\",\"phone\":\"0000000\"}", []),
        ("\"userId\":\"42\",\"properties\":{\"email\":\"friend@b.c\"}", []),
        ("\"properties\":{\"email\":\"a@b.c\",\"card\":\"C\"}", ["card:C"]),
        ("\"userId\":\"42\",\"context\":{\"externalIds\":[{\"id\":\"no number\",\"type\":\"phone\"}]}", []),
    ]

    @Test("A3 what else a customer is found by; ! = verified", arguments: cases)
    func finds(fields: String, expected: [String]) throws {
        let event = try mapped("{\"event\":\"x\",\(fields)}")
        #expect(event.identifiers.map { $0.key.text + ($0.isVerified ? "!" : "") } == expected)
    }

    @Test("the traits of a group are not its member's; an alias names two keys and no more")
    func notTheirs() throws {
        #expect(try mapped("{\"userId\":\"1\",\"groupId\":\"g\",\"traits\":{\"email\":\"a@b.c\"}}", .group).identifiers.isEmpty)
        #expect(try mapped("{\"userId\":\"1\",\"previousId\":\"2\",\"anonymousId\":\"2\"}", .alias).identifiers.isEmpty)
    }

    @Test("A3 an event of which only an external id is known")
    func external() throws {
        let event = try mapped("{\"event\":\"x\",\"context\":{\"externalIds\":[{\"id\":\"9\",\"type\":\"crm\"}]}}")
        #expect(event.customer.text == "ext:crm:9" && event.identifiers.isEmpty)
    }
}
