import Model
import Testing

@testable import ConfigurationFiles

/// Files of one rule; its body begins in line 5. What the installation says more stands in its first line.
private func file(_ body: String, installation more: String = "") -> (name: String, text: String) {
    let head =
        "installation: { currency: USD, time_zone: UTC\(more.isEmpty ? "" : ", " + more) }\n"
        + "segments: [ { name: loyal, orders: { at_least: 3 } } ]\nrules:\n  - name: r\n    action: record\n"
    return ("f.yaml", head + body.split(separator: "\n").map { "    " + $0 + "\n" }.joined())
}

@Suite struct `Mechanics of files` {
    private static let day = Milliseconds.day

    @Test(arguments: [
        ("mechanic: upsell", Mechanic.upsell(afterMilliseconds: 0, offers: Goods())),
        (
            "mechanic: upsell\nafter: 30m\noffers: { products: [a], brands: [B] }",
            .upsell(afterMilliseconds: 30 * Milliseconds.minute, offers: Goods(products: ["a"], brands: ["B"]))
        ),
        ("mechanic: personal_date", .personalDate(trait: "birthday", daysBefore: 0, minute: 600)),
        (
            "mechanic: personal_date\ntrait: registered\nbehind: 2w\nat: \"00:05\"",
            .personalDate(trait: "registered", daysBefore: -14, minute: 5)
        ),
        ("mechanic: personal_date\nbefore: 180d", .personalDate(trait: "birthday", daysBefore: 180, minute: 600)),
        (
            "mechanic: viewed_products\ntimes: 3\nin: 90d\nafter: 0s",
            .viewedProducts(times: 3, within: 90 * day, afterMilliseconds: 0)
        ),
        ("mechanic: abandoned_cart\nafter: 1h", .abandonedCart(afterMilliseconds: Milliseconds.hour)),
        ("mechanic: segment_entered\nsegment: loyal", .segmentEntered(0, afterMilliseconds: 0)),
        (
            "mechanic: time_since_last_purchase\nafter: 60d\nrhythm: 200%",
            .timeSinceLastPurchase(afterMilliseconds: 60 * day, rhythmPercent: 200)
        ),
        (
            "mechanic: regular_consumption\nperiod: 30d\nper_piece: yes",
            .regularConsumption(
                ConsumptionPeriods(defaultMilliseconds: 30 * day, isPerPiece: true), aheadMilliseconds: 0)
        ),
    ])
    func `what they mean`(body: String, expected: Mechanic) throws {
        let set = try load(file(body).text)
        #expect(set.rules[0].mechanic == expected)
        #expect(try load(set.yaml()) == set)
    }

    @Test func `C11 limits of contact, of repeating, and zones`() throws {
        let more =
            "time_zones: [Asia/Tokyo, America/New_York], "
            + "contact: [ { at_most: 2, in: 7d }, { channel: sms, at_most: 1, in: 30d } ]"
        let body = "mechanic: upsell\nrepeat: { at_most: 1, in: 30d }\ntransactional: true"
        let set = try load(file(body, installation: more).text)
        #expect(set.otherZones.map(\.name) == ["America/New_York", "Asia/Tokyo"])
        #expect(
            set.contactLimits == [
                ContactLimit(channel: nil, rate: RateLimit(count: 2, windowMilliseconds: 7 * Self.day)),
                ContactLimit(channel: .sms, rate: RateLimit(count: 1, windowMilliseconds: 30 * Self.day)),
            ])
        #expect(set.rules[0].repeatLimit == RateLimit(count: 1, windowMilliseconds: 30 * Self.day))
        #expect(set.rules[0].isTransactional)
        #expect(try load(set.yaml()) == set)
    }

    @Test(arguments: [
        ("mechanic: upsel", "f.yaml:6:15: rules[0].mechanic: 'upsel' is not known; did you mean 'upsell'?"),
        (
            "mechanic: upsell\ntimes: 3",
            "f.yaml:7:12: rules[0].times: does not belong to upsell; it takes after and offers"
        ),
        (
            "mechanic: segment_entered\nsegment: loyal\ngoods: { products: [a] }",
            "f.yaml:8:12: rules[0].goods: does not belong to segment_entered; it takes segment and after"
        ),
        (
            "mechanic: abandoned_cart\nafter: 1h\nperiod: 3d",
            "f.yaml:8:13: rules[0].period: does not belong to abandoned_cart; it takes after"
        ),
        (
            "mechanic: upsell\ngoods: { products: [a] }\noffers: { products: [b, a] }",
            "f.yaml:8:13: rules[0].offers: holds all of the rule's goods"
        ),
        ("mechanic: upsell\noffers: { brand: [b] }", "rules[0].offers.brand: unknown field; did you mean 'brands'?"),
        ("mechanic: personal_date\nbefore: 36h", "f.yaml:7:13: rules[0].before: whole days are expected, 0d to 180d"),
        ("mechanic: personal_date\nbehind: 181d", "rules[0].behind: whole days are expected, 0d to 180d, not '181d'"),
        ("mechanic: personal_date\nbefore: 1d\nbehind: 1d", "f.yaml:8:13: rules[0].behind: stands beside before"),
        ("mechanic: personal_date\nat: \"24:00\"", "f.yaml:7:9: rules[0].at: a time of day such as \"09:00\" is expected"),
        ("mechanic: personal_date\ntrait: \"a\\nb\"", "rules[0].trait: must be one line"),
        ("mechanic: viewed_products\nin: 7d\nafter: 1d", "f.yaml:4:5: rules[0].times: is missing"),
        ("mechanic: viewed_products\ntimes: 0\nin: 7d\nafter: 1d", "rules[0].times: 0 is out of range; allowed are 1 to 128"),
        (
            "mechanic: viewed_products\ntimes: 3\nin: 91d\nafter: 1d",
            "f.yaml:8:9: rules[0].in: 91d is longer than what is remembered of browsing, 90d; raise installation.remember"
        ),
        (
            "mechanic: viewed_products\ntimes: 3\nin: 7d\nafter: 731d",
            "rules[0].after: 731d is longer than what is remembered of purchases, 730d"
        ),
        ("mechanic: abandoned_cart", "f.yaml:4:5: rules[0].after: is missing"),
        ("mechanic: abandoned_cart\nafter: 0s", "f.yaml:7:12: rules[0].after: must be longer than nothing"),
        ("mechanic: abandoned_cart\nafter: 100d", "rules[0].after: 100d is longer than what is remembered of browsing, 90d"),
        ("mechanic: segment_entered", "f.yaml:4:5: rules[0].segment: is missing"),
        (
            "mechanic: segment_entered\nsegment: loyall",
            "f.yaml:7:14: rules[0].segment: there is no segment 'loyall'; did you mean 'loyal'?"
        ),
        (
            "mechanic: time_since_last_purchase\nafter: 60d\nrhythm: 2",
            "f.yaml:8:13: rules[0].rhythm: a whole percentage such as 150% is expected"
        ),
        (
            "mechanic: time_since_last_purchase\nafter: 60d\nrhythm: 0%",
            "rules[0].rhythm: 0% is out of range; allowed are 1% to 100000%"
        ),
        (
            "mechanic: time_since_last_purchase\nrhythm: 200%", "f.yaml:4:5: rules[0].after: is missing"
        ),
        ("mechanic: regular_consumption\nperiod: 3d\nper_piece: 2", "rules[0].per_piece: true or false is expected, not '2'"),
        ("mechanic: upsell\ntransactional: maybe", "rules[0].transactional: true or false is expected"),
        ("mechanic: upsell\nrepeat: 30d", "rules[0].repeat: a group of fields is expected (at_most, in), not '30d'"),
        ("mechanic: upsell\nrepeat: { at_most: 1 }", "rules[0].repeat.in: is missing"),
        (
            "mechanic: upsell\nrepeat: { at_most: 65, in: 1d }",
            "f.yaml:7:24: rules[0].repeat.at_most: 65 is out of range; allowed are 1 to 64"
        ),
    ])
    func `mistakes are named once, with their place`(body: String, expected: String) {
        let found = problems(file(body))
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(expected) == true, "\(found)")
    }

    @Test(arguments: [
        ("time_zones: [Asia/Tokio]", "installation.time_zones[0]: 'Asia/Tokio' is no time zone; did you mean 'Asia/Tokyo'?"),
        ("time_zones: [Asia/Tokyo, Asia/Tokyo]", "installation.time_zones[1]: 'Asia/Tokyo' is named twice"),
        ("time_zones: UTC", "installation.time_zones: a list is expected"),
        ("contact: { at_most: 1, in: 7d }", "installation.contact: a list is expected, not a group of fields"),
        ("contact: [ { at_most: 0, in: 7d } ]", "installation.contact[0].at_most: 0 is out of range; allowed are 1 to 64"),
        ("contact: [ { in: 7d } ]", "installation.contact[0].at_most: is missing"),
        ("contact: [ { at_most: 1, in: 0d } ]", "installation.contact[0].in: must be longer than nothing"),
        (
            "contact: [ { channel: post, at_most: 1, in: 7d } ]",
            "installation.contact[0].channel: 'post' is not known; allowed are email, sms"
        ),
        (
            "contact: [ { at_most: 1, in: 7d }, { at_most: 2, in: 1w } ]",
            "installation.contact[1]: there is a limit of this channel in 7d already, at f.yaml:1:59"
        ),
    ])
    func `and those of the installation`(more: String, expected: String) {
        let found = problems(file("mechanic: upsell", installation: more))
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix("f.yaml:1:") == true && found.first?.contains(expected) == true, "\(found)")
    }

    @Test(arguments: [
        ("mechanic: abandoned_cart\nafter: 1h", "browsing: none", "browsing"),
        ("mechanic: viewed_products\ntimes: 2\nin: 1d\nafter: 1d", "browsing: none", "browsing"),
        ("mechanic: viewed_products\ntimes: 2\nin: 1d\nafter: 1d", "purchases: none", "purchases"),
    ])
    func `what rests on memory needs it`(body: String, memory: String, name: String) {
        let found = problems(file(body, installation: "remember: { \(memory) }"))
        #expect(found.count == 1, "\(found)")
        let expected = "f.yaml:6:15: rules[0].mechanic: needs \(name) to be remembered, and installation.remember.\(name) is none"
        #expect(found.first?.hasPrefix(expected) == true, "\(found)")
    }
}
