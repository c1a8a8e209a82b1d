import Model
import Testing

@testable import ConfigurationFiles

private let day = Milliseconds.day

/// The conditions of one segment, written as one flow mapping's fields.
private func condition(_ fields: String) throws(ConfigurationErrors) -> Condition {
    try load(installation + "segments: [ { name: s, \(fields) } ]").segments[0].condition
}

@Suite struct `Conditions` {
    private static let lenses = Goods(categories: ["lenses"])

    private static let conditions: [(String, Condition)] = [
        ("orders: { at_least: 3, in: 30d }", .orders(.count, within: 30 * day, .atLeast, 3)),
        ("orders: { less_than: 3 }", .orders(.count, within: nil, .less, 3)),
        ("order_sum: { more_than: 99.5, in: 2w }", .orders(.sum, within: 14 * day, .greater, 9950)),
        ("order_average: { at_most: 20 }", .orders(.average, within: nil, .atMost, 2000)),
        ("order_average: { exactly: 20, in: 12h }", .orders(.average, within: 12 * Milliseconds.hour, .equal, 2000)),
        ("last_order: { older_than: 60d }", .sinceLastOrder(.atLeast, milliseconds: 60 * day)),
        ("first_order: { within: 60d }", .sinceFirstOrder(.less, milliseconds: 60 * day)),
        ("bought: {}", .acts(.bought, Goods(), within: nil, .atLeast, 1)),
        ("bought: { categories: [lenses] }", .acts(.bought, lenses, within: nil, .atLeast, 1)),
        (
            "bought: { products: [p1, p2], categories: [lenses], brands: [Acme], times: { at_least: 2 }, in: 90d }",
            .acts(
                .bought, Goods(products: ["p1", "p2"], categories: ["lenses"], brands: ["Acme"]), within: 90 * day, .atLeast, 2)
        ),
        ("bought: { in: 730d }", .acts(.bought, Goods(), within: 730 * day, .atLeast, 1)),
        (
            "viewed: { categories: [lenses], times: { exactly: 0 }, in: 90d }",
            .acts(.viewed, lenses, within: 90 * day, .equal, 0)
        ),
        ("added_to_cart: { last: { within: 90d } }", .sinceAct(.addedToCart, Goods(), .less, milliseconds: 90 * day)),
        ("bought: { last: { older_than: 60d } }", .sinceAct(.bought, Goods(), .atLeast, milliseconds: 60 * day)),
        (
            "bought: { times: { at_least: 2 }, in: 90d, last: { older_than: 30d } }",
            .all([
                .sinceAct(.bought, Goods(), .atLeast, milliseconds: 30 * day),
                .acts(.bought, Goods(), within: 90 * day, .atLeast, 2),
            ])
        ),
        ("rhythm: { at_least: 150% }", .rhythm(.atLeast, percent: 150)),
        ("pace: { at_least: 200%, less_than: 100000% }", .all([.pace(.atLeast, percent: 200), .pace(.less, percent: 100_000)])),
        ("trait: { name: city, is: [Berlin, Paris] }", .trait("city", .isOneOf(["Berlin", "Paris"]))),
        ("trait: { name: code, is: 0012 }", .trait("code", .isOneOf(["0012"]))),
        ("trait: { name: age, at_least: 100.5 }", .trait("age", .number(.atLeast, 1_005_000))),
        ("trait: { name: balance, less_than: -0.0001 }", .trait("balance", .number(.less, -1))),
        ("trait: { name: size, exactly: 7 }", .trait("size", .number(.equal, 70_000))),
        ("trait: { name: note, contains: 'a: b' }", .trait("note", .contains("a: b"))),
        ("trait: { name: phone, exists: true }", .trait("phone", .exists)),
        ("trait: { name: phone, exists: false }", .not(.trait("phone", .exists))),
        (
            "trait: { name: age, at_least: 18, less_than: 30 }",
            .all([.trait("age", .number(.atLeast, 180_000)), .trait("age", .number(.less, 300_000))])
        ),
        ("tag: sensitive-skin", .trait("tag:sensitive-skin", .exists)),
        ("birthday: { before: 7d }", .anniversary(trait: "birthday", daysBefore: 7, daysAfter: 0)),
        ("birthday: {}", .anniversary(trait: "birthday", daysBefore: 0, daysAfter: 0)),
        (
            "anniversary: { trait: registered, before: 1w, after: 48h }",
            .anniversary(trait: "registered", daysBefore: 7, daysAfter: 2)
        ),
        ("message_sent: { within: 7d }", .sinceEngagement(.sent, .less, milliseconds: 7 * day)),
        ("message_opened: { older_than: 90d }", .sinceEngagement(.opened, .atLeast, milliseconds: 90 * day)),
        ("message_clicked: { at_most: 1h }", .sinceEngagement(.clicked, .atMost, milliseconds: Milliseconds.hour)),
        ("consent: { email: granted }", .consent(.email, .granted)),
        ("consent: { email: unknown, sms: withheld }", .all([.consent(.email, .unknown), .consent(.sms, .withheld)])),
        ("reachable: sms", .reachable(.sms)),
        ("interest: { categories: [lenses], at_least: 5 }", .interest(lenses, .atLeast, 500)),
        ("interest: { less_than: 0.25 }", .interest(Goods(), .less, 25)),
        (
            "loyalty: { tier: [gold, silver], points: { at_least: 100 } }",
            .all([
                .trait("loyalty_tier", .isOneOf(["gold", "silver"])), .trait("loyalty_points", .number(.atLeast, 1_000_000)),
            ])
        ),
        ("loyalty: { tier: gold }", .trait("loyalty_tier", .isOneOf(["gold"]))),
        (
            "orders: { at_least: 2 }, reachable: email",
            .all([.orderCount(.atLeast, 2), .reachable(.email)])
        ),
    ]

    @Test(arguments: conditions)
    func `each is read, written and read again`(fields: String, expected: Condition) throws {
        #expect(try condition(fields) == expected)
        var set = try load(installation)
        set.segments = [Segment(name: "s", condition: expected, number: 0)]
        set.nextSegmentNumber = 1
        #expect(try load(set.yaml()) == set)
    }

    @Test func `every field is among them`() {
        let fields = Self.conditions.map(\.0).joined(separator: "\n")
        for field in ConditionReader.fields { #expect(fields.contains("\(field):"), "\(field)") }
    }

    @Test func `they stand in groups, and several together must all hold`() throws {
        let read = try condition(
            "any: [ { tag: a, reachable: email }, { none: [ { tag: b }, { pace: { less_than: 50% } } ] } ], birthday: {}")
        #expect(
            read
                == .all([
                    .any([
                        .all([.trait("tag:a", .exists), .reachable(.email)]),
                        .not(.any([.trait("tag:b", .exists), .pace(.less, percent: 50)])),
                    ]), .anniversary(trait: "birthday", daysBefore: 0, daysAfter: 0),
                ]))
    }

    @Test func `a rule's goods may be brands`() throws {
        let set = try load(
            installation + """
                rules:
                  - { name: r, mechanic: regular_consumption, period: 9d, periods: { p1: 5d },
                      goods: { products: [p2], brands: [Acme, "B: C"] }, action: record }
                """)
        #expect(set.rules[0].goods == Goods(products: ["p2"], brands: ["Acme", "B: C"]))
        #expect(try load(set.yaml()) == set)
    }
}

@Suite struct `What is remembered` {
    private func memory(_ remember: String) throws(ConfigurationErrors) -> Memory {
        let set = try load("installation: { currency: USD, time_zone: UTC\(remember) }")
        #expect(try load(set.yaml()) == set)
        return set.memory
    }

    @Test func `is read, and usual where nothing is said`() throws {
        #expect(try memory("") == .usual)
        #expect(try memory(", remember: {}") == .usual)
        #expect(try memory(", remember: { purchases: none, browsing: none }") == .none)
        #expect(
            try memory(", remember: { browsing: 36h }")
                == Memory(
                    purchasesMilliseconds: Memory.usual.purchasesMilliseconds, browsingMilliseconds: 36 * Milliseconds.hour))
        #expect(try memory(", remember: { purchases: 2w }").purchasesMilliseconds == 14 * day)
    }

    @Test(arguments: [
        (", remember: 3d", "f.yaml:1:58: installation.remember: a group of fields is expected (purchases, browsing), not '3d'"),
        (", remember: { purchase: 3d }", "f.yaml:1:60: installation.remember.purchase: unknown field; did you mean 'purchases'?"),
        (", remember: { purchases: 0d }", "f.yaml:1:71: installation.remember.purchases: must be longer than nothing"),
        (", remember: { browsing: nonne }", "installation.remember.browsing: 'nonne' is no length of time"),
        (", remember: { browsing: 11000d }", "longer than ten years"),
    ])
    func `is written as it must be`(remember: String, expected: String) {
        let found = problems(
            (
                "f.yaml",
                "installation: { currency: USD, time_zone: UTC\(remember) }\nsegments: [ { name: s, viewed: { in: 91d } } ]"
            ))
        #expect(found.count == 1, "and nothing is said against what must be remembered: \(found)")
        #expect(found.first?.contains(expected) == true, "\(found)")
    }

    @Test(arguments: [
        (
            "bought: { in: 731d }",
            "f.yaml:2:38: segments[0].bought.in: 731d is longer than what is remembered of purchases, 730d; raise"
        ),
        (
            "viewed: { in: 2200h }",
            "f.yaml:2:38: segments[0].viewed.in: 2200h is longer than what is remembered of browsing, 90d; raise"
        ),
        (
            "added_to_cart: { last: { within: 91d } }",
            "f.yaml:2:57: segments[0].added_to_cart.last.within: 91d is longer than what is remembered of browsing, 90d; "
                + "raise installation.remember.browsing"
        ),
        (
            "viewed: { last: { older_than: 90d } }",
            "segments[0].viewed.last.older_than: 90d is as long as what is remembered of browsing, and who did it longer ago is "
                + "forgotten; raise installation.remember.browsing"
        ),
        ("viewed: { last: { exactly: 90d } }", "raise installation.remember.browsing"),
        ("any: [ { all: [ { bought: { last: { more_than: 800d } } } ] } ]", "raise installation.remember.purchases"),
    ])
    func `is as long as conditions ask`(fields: String, expected: String) {
        let found = problems(("f.yaml", installation + "segments: [ { name: s, \(fields) } ]"))
        #expect(found.count == 1)
        #expect(found.first?.contains(expected) == true, "\(found)")
    }

    @Test(arguments: [
        ("purchases: none", "bought: {}", "f.yaml:2:24: segments[0].bought: needs purchases to be remembered, and"),
        (
            "browsing: none", "viewed: { last: { within: 3d } }",
            "installation.remember.browsing is none; give it a length of time"
        ),
        ("browsing: none", "added_to_cart: { in: 3d }", "f.yaml:2:24: segments[0].added_to_cart: needs browsing"),
        ("browsing: none", "message_opened: { within: 3d }", "f.yaml:2:24: segments[0].message_opened: needs browsing"),
        ("browsing: none", "interest: { at_least: 1 }", "f.yaml:2:24: segments[0].interest: needs browsing"),
        ("purchases: none", "interest: { at_least: 1 }", "f.yaml:2:24: segments[0].interest: needs purchases"),
    ])
    func `is there at all when conditions ask for it`(remember: String, fields: String, expected: String) {
        let settings = "installation: { currency: USD, time_zone: UTC, remember: { \(remember) } }\n"
        let found = problems(("f.yaml", settings + "segments: [ { name: s, \(fields) } ]"))
        #expect(found.count == 1)
        #expect(found.first?.contains(expected) == true, "\(found)")
        let others = "bought: { in: 3d }, orders: { at_least: 9, in: 3650d }, last_order: { older_than: 3650d }"
        #expect(
            problems(
                ("f.yaml", settings.replacing("purchases: none", with: "browsing: none") + "segments: [ { name: s, \(others) } ]")
            ).isEmpty)
    }
}

@Suite struct `Mistakes in conditions` {
    @Test(arguments: [
        (
            "ordres: { at_least: 1 }",
            "f.yaml:2:24: segments[0].ordres: unknown field; did you mean 'orders'? allowed are name, title"
        ),
        ("orders: { in: 30d }", "f.yaml:2:32: segments[0].orders: compares nothing; allowed are at_least, at_most"),
        ("orders: { at_least: 1, in: 0d }", "f.yaml:2:51: segments[0].orders.in: must be longer than nothing"),
        ("orders: { at_least: 1, in: 2 months }", "segments[0].orders.in: months and years differ in length"),
        ("orders: { at_least: 513, in: 30d }", "segments[0].orders.at_least: 513 is out of range; allowed are 0 to 512"),
        ("orders: { at_least: }", "segments[0].orders.at_least: a whole number is expected, not nothing"),
        (
            "order_average: { at_least: 1.005 }",
            "segments[0].order_average.at_least: '1.005' has 3 digits after the point; USD has 2"
        ),
        ("last_order: { at_least: 3d }", "segments[0].last_order.at_least: unknown field"),
        ("bought: [p1]", "f.yaml:2:32: segments[0].bought: a group of fields is expected (products, categories, brands, times"),
        (
            "bought: { category: [lenses] }",
            "f.yaml:2:34: segments[0].bought.category: unknown field; allowed are products, categories, brands, times, in, last"
        ),
        ("bought: { categories: lenses }", "f.yaml:2:46: segments[0].bought.categories: a list is expected, not 'lenses'"),
        ("bought: { brands: [a, a] }", "f.yaml:2:46: segments[0].bought.brands[1]: 'a' is named twice"),
        ("bought: { times: 2 }", "segments[0].bought.times: a group of fields is expected (at_least, "),
        ("bought: { times: { at_least: 257 } }", "segments[0].bought.times.at_least: 257 is out of range; allowed are 0 to 256"),
        ("viewed: { times: { at_least: 129 } }", "allowed are 0 to 128"),
        ("viewed: { last: { within: 3d }, in: 2d }", "f.yaml:2:60: segments[0].viewed.in: says in what time to count times"),
        ("viewed: { last: {} }", "segments[0].viewed.last: compares nothing; allowed are older_than, within"),
        (
            "rhythm: { at_least: 1.5 }",
            "f.yaml:2:44: segments[0].rhythm.at_least: a whole percentage such as 150% is expected, not '1.5'"
        ),
        ("rhythm: 150%", "segments[0].rhythm: a group of fields is expected (at_least"),
        ("pace: { at_least: -1% }", "-1% is out of range; allowed are 0% to 100000%"),
        ("pace: { at_least: 100001% }", "100001% is out of range"),
        ("trait: { is: Berlin }", "f.yaml:2:31: segments[0].trait.name: is missing"),
        ("trait: { name: city }", "f.yaml:2:31: segments[0].trait: tests nothing; allowed are is, contains, exists, at_least"),
        ("trait: { name: city, is: }", "segments[0].trait: tests nothing"),
        ("trait: { name: city, is: [] }", "segments[0].trait.is: is empty; list at least one text"),
        ("trait: { name: city, is: [Berlin, ''] }", "segments[0].trait.is[1]: is empty"),
        ("trait: { name: city, exist: true }", "did you mean 'exists'?"),
        ("trait: { name: city, exists: maybe }", "true or false is expected"),
        (
            "trait: { name: age, at_least: 1.00005 }",
            "segments[0].trait.at_least: '1.00005' has 5 digits after the point; at most 4"
        ),
        ("trait: { name: age, at_least: ten }", "'ten' is no number; a number is written like 12.5"),
        ("trait: { name: age, at_least: 100000000001 }", "allowed are -100000000000 to 100000000000"),
        ("trait: { name: age, at_least: 99999999999999999999 }", "99999999999999999999 is out of range"),
        ("tag: [a, b]", "f.yaml:2:29: segments[0].tag: a text is expected, not a list"),
        ("tag: \"a\\nb\"", "segments[0].tag: must be one line"),
        ("birthday: { before: 36h }", "f.yaml:2:44: segments[0].birthday.before: whole days are expected, 0d to 180d, not '36h'"),
        ("birthday: { after: 181d }", "whole days are expected, 0d to 180d, not '181d'"),
        ("birthday: true", "segments[0].birthday: a group of fields is expected (before, after), not 'true'"),
        ("anniversary: { before: 1d }", "segments[0].anniversary.trait: is missing"),
        ("message_open: { within: 3d }", "did you mean 'message_opened'?"),
        ("message_sent: {}", "segments[0].message_sent: compares nothing"),
        ("consent: {}", "segments[0].consent: names no channel; allowed are email, sms"),
        ("consent: { email: yes }", "segments[0].consent.email: 'yes' is not known; allowed are granted, withheld, unknown"),
        ("consent: { mail: granted }", "f.yaml:2:35: segments[0].consent.mail: unknown field; did you mean 'email'?"),
        (
            "reachable: mail",
            "f.yaml:2:35: segments[0].reachable: 'mail' is not known; did you mean 'email'? allowed are email, sms"
        ),
        ("reachable: record", "'record' is not known"),
        ("interest: { categories: [lenses] }", "segments[0].interest: compares nothing"),
        ("interest: { at_least: 0.001 }", "'0.001' has 3 digits after the point; at most 2"),
        ("interest: { at_least: -1 }", "-1 is out of range; allowed are 0 to 1000000"),
        ("loyalty: {}", "segments[0].loyalty: tests nothing; allowed are tier, points"),
        ("loyalty: { points: 100 }", "segments[0].loyalty.points: a group of fields is expected"),
        ("loyalty: { level: gold }", "segments[0].loyalty.level: unknown field"),
    ])
    func `are named with their place and what is allowed`(fields: String, expected: String) {
        let found = problems(("f.yaml", installation + "segments: [ { name: s, \(fields) } ]"))
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(expected) == true, "\(found)")
    }

    @Test func `what one field says counts with the others for the bounds`() {
        let many = (0..<600).map { _ in "{ trait: { name: a, exists: false } }" }
        let lists = [many[..<256], many[256..<512], many[512...]].map { "{ any: [ \($0.joined(separator: ", ")) ] }" }
        let text = installation + "segments: [ { name: s, all: [ \(lists.joined(separator: ", ")) ] } ]"
        #expect(problems(("f.yaml", text)).contains { $0.contains("more than 1024 conditions") })
        let goods = (0...Limits.goodsPerConditionMax).map { "p\($0)" }.joined(separator: ", ")
        let found = problems(("f.yaml", installation + "segments: [ { name: s, viewed: { products: [\(goods)] } } ]"))
        #expect(found == ["f.yaml:2:44: segments[0].viewed.products: has 4097 items; at most 4096 are allowed"])
    }
}
