internal import Foundation
import Model
import Testing

@testable import ConfigurationFiles

let installation = "installation: { currency: USD, time_zone: UTC }\n"

func load(_ text: String, name: String = "f.yaml") throws(ConfigurationErrors) -> RuleSet {
    try ConfigurationFiles.load(sources: [(name, text)])
}

/// What is wrong, a line each; empty when nothing is.
func problems(_ sources: (name: String, text: String)...) -> [String] {
    do throws(ConfigurationErrors) {
        _ = try ConfigurationFiles.load(sources: sources)
        return []
    } catch {
        return error.problems.map(\.description)
    }
}

@Suite struct `The guides of files` {
    private func examples(_ name: String) throws -> [String] {
        let guide = try String(contentsOf: repository.appending(path: "docs/guides/\(name)"), encoding: .utf8)
        return guide.components(separatedBy: "```yaml\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    }

    @Test(arguments: [("rules.md", 5), ("segments.md", 8), ("mechanics.md", 8)])
    func `every example in them loads, and is the same when printed and loaded again`(name: String, count: Int) throws {
        let examples = try examples(name)
        #expect(examples.count == count)
        for example in examples {
            let set = try load(example)
            #expect(try load(set.yaml()) == set)
        }
    }

    @Test func `every mechanic and each of its fields has an example`() throws {
        let all = try examples("mechanics.md")
        let rules = try all.flatMap { try load($0).rules }
        let names = Set(rules.map(\.mechanic.name))
        #expect(names == Set(MechanicReader.names))
        let text = all.joined() + (try examples("rules.md").joined())
        for field in MechanicReader.fields where field != "periods_file" {
            #expect(text.contains("\(field):"), "\(field)")
        }
        for field in Settings.fields + RuleReader.fields where field != "periods_file" {
            #expect(text.contains("\(field):"), "\(field)")
        }
    }

    @Test func `what the guide says is usual is what is taken`() throws {
        func mechanic(_ name: String) throws -> Mechanic? {
            try examples("mechanics.md").lazy.flatMap { try load($0).rules }.first { $0.name == name }?.mechanic
        }
        #expect(try mechanic("birthday") == .personalDate(trait: "birthday", daysBefore: 7, minute: 600))
        #expect(try mechanic("a-year-with-us") == .personalDate(trait: "registered", daysBefore: -1, minute: 600))
        #expect(try mechanic("invitation") == .segmentEntered(0, afterMilliseconds: 0))
        #expect(
            try mechanic("care-with-lenses")
                == .upsell(afterMilliseconds: 30 * Milliseconds.minute, offers: Goods(categories: ["lens-care"])))
    }

    @Test func `every condition has an example`() throws {
        let examples = try examples("segments.md").joined()
        for field in ConditionReader.fields + ["segment", "all", "any", "none"] {
            #expect(examples.contains("\(field):"), "\(field)")
        }
    }
}

@Suite struct `Loading` {
    @Test func `a whole rule`() throws {
        let set = try load(
            """
            installation: { currency: KWD, time_zone: Europe/Moscow, fulfilled: on_placed, consent: assumed }
            segments:
              - { name: b, title: Second, order_sum: { at_least: 0.125 } }
              - { name: a, all: [ { segment: b }, { none: [ { orders: { less_than: 2 } } ] } ],
                  last_order: { older_than: 60d, within: 90d } }
            templates:
              - { name: t, from: "Ä <a@b.example>", subject: "{{ order.id }}", text: "x" }
            rules:
              - name: z
                title: Zed
                on: no
                priority: 10
                mechanic: regular_consumption
                period: 30d
                periods: { cd: 45d, "007": 2w }
                ahead: 3d
                goods: { categories: [music] }
                segments: { all: [a], any: [b, a], excluded: [b] }
                hours: { from: "22:30", to: "06:00", days: [mon, sun] }
                postpone_up_to: 36h
                action: { email: t }
                conversion: { window: 14d }
              - { name: y, mechanic: review_request, after: 0, action: record }
              - { name: x, mechanic: time_since_last_purchase, after: 90s, action: record }
            """)
        #expect(set.currency == "KWD")
        #expect(set.currencyDigits == 3)
        #expect(set.fulfilledOnPlaced && set.consentAssumed)
        let big = Condition.orderSum(.atLeast, 125)
        #expect(
            set.segments == [
                Segment(name: "b", title: "Second", condition: big, number: 0),
                Segment(
                    name: "a",
                    condition: .all([
                        .all([big, .not(.orderCount(.less, 2))]),
                        .all([
                            .sinceLastOrder(.atLeast, milliseconds: 60 * Milliseconds.day),
                            .sinceLastOrder(.less, milliseconds: 90 * Milliseconds.day),
                        ]),
                    ]), number: 1),
            ])
        #expect(set.nextSegmentNumber == 2)
        #expect(set.rules.map(\.name) == ["z", "x", "y"])
        let expected = Rule(
            name: "z", title: "Zed",
            mechanic: .regularConsumption(
                ConsumptionPeriods(
                    defaultMilliseconds: 30 * Milliseconds.day,
                    perProduct: [
                        ProductPeriod(product: "007", milliseconds: 14 * Milliseconds.day),
                        ProductPeriod(product: "cd", milliseconds: 45 * Milliseconds.day),
                    ]),
                aheadMilliseconds: 3 * Milliseconds.day),
            enabled: false, goods: Goods(categories: ["music"]), inAll: [1], inAny: [0, 1], inNone: [0],
            hours: AllowedHours(fromMinute: 1350, toMinute: 360, weekdays: 0b100_0001),
            postponeMilliseconds: 36 * Milliseconds.hour,
            action: .email(template: "t"), conversion: Conversion(windowMilliseconds: 14 * Milliseconds.day))
        var found = set.rules[0]
        found.inAny.sort()
        #expect(found == expected)
        #expect(try load(set.yaml()) == set)
        #expect(try RuleSet.decoded(set.encoded(), revision: 0) == set)
    }

    @Test func `texts survive printing`() throws {
        var set = try load(installation)
        let texts = [
            "a\nb\n", "a\nb", "a\n\n\n", " leads\nx", "\nstarts", "tab\there\nx  \n", "# no comment\n- x: y\n",
            "quote \" back \\ \u{7}\u{85}\u{2028}", "x\u{feff}bom\n",
            "é 😀\n  indented\n\nend", "a\r\nb\n", "~", "true", "1.5", "- a", "a: b", "'", "\n", " ",
        ]
        set.templates = texts.enumerated().map { index, text in
            MessageTemplate(
                name: "t\(index)", subject: "s: #\(index) 'x' \"y\"", text: text, html: index == 3 ? "" : text,
                from: "N: \"#\" <a@b.example>")
        }
        #expect(try load(set.yaml()) == set)
    }

    @Test func `priorities keep the order of any rules`() throws {
        var set = try load(installation)
        set.rules = ["b", "c", "a", "d", "0"].map {
            Rule(name: $0, mechanic: .reviewRequest(afterMilliseconds: 1500), action: .record)
        }
        set.segments = [
            Segment(
                name: "s",
                condition: .not(.any([.orderCount(.equal, 1), .not(.all([.sinceFirstOrder(.greater, milliseconds: 1)]))]))),
            Segment(name: "r", condition: .any([.orderSum(.less, 5)])),
            Segment(name: "q", condition: .not(.any([.orderSum(.atMost, 12345)]))),
        ]
        set.numberSegments(after: nil)
        set.rules[0].inNone = [2, 0]
        #expect(try load(set.yaml()) == set)
    }

    @Test func `sections are gathered from all files, tables stand beside them`() throws {
        let set = try ConfigurationFiles.load(sources: [
            ("shop/a.yaml", installation), ("shop/b.yml", "# nothing yet\n"), ("shop/c.yaml", "segments:\nrules: []\n"),
            ("shop/d.yaml", "rules: [ { name: r, mechanic: regular_consumption, periods_file: t/p.csv, action: record } ]"),
            ("shop/t/p.csv", "product,days\r\n\"a,\"\"b\",3\r\n\r\np2,2w\r\n"),
        ])
        #expect(
            set.rules[0].mechanic
                == .regularConsumption(
                    ConsumptionPeriods(
                        defaultMilliseconds: nil,
                        perProduct: [
                            ProductPeriod(product: "a,\"b", milliseconds: 3 * Milliseconds.day),
                            ProductPeriod(product: "p2", milliseconds: 14 * Milliseconds.day),
                        ]), aheadMilliseconds: 0))
    }
}

@Suite struct `Time zones` {
    private func offset(_ zone: ZoneTable, _ seconds: Int64) -> Int32 {
        zone.transitions.last { $0.at.milliseconds <= seconds * 1000 }?.offsetSeconds ?? zone.initialOffsetSeconds
    }

    @Test func `Moscow's shifts that were no daylight saving are there`() throws {
        let zone = try #require(ZoneCompiler.table(named: "Europe/Moscow"))
        #expect(zone.initialOffsetSeconds == 10800)
        #expect(
            zone.transitions.contains(ZoneTable.Transition(at: Instant(milliseconds: 1_301_180_400_000), offsetSeconds: 14400)))
        #expect(zone.transitions.last == ZoneTable.Transition(at: Instant(milliseconds: 1_414_274_400_000), offsetSeconds: 10800))
    }

    @Test func `Berlin changes twice a year, to the last`() throws {
        let zone = try #require(ZoneCompiler.table(named: "Europe/Berlin"))
        #expect(zone.transitions.count == 140)
        #expect(
            zone.transitions.contains(ZoneTable.Transition(at: Instant(milliseconds: 1_711_846_800_000), offsetSeconds: 7200)))
        #expect(
            zone.transitions.contains(ZoneTable.Transition(at: Instant(milliseconds: 1_729_990_800_000), offsetSeconds: 3600)))
        #expect(offset(zone, 2_823_000_000) == 7200)
    }

    @Test(arguments: [("Asia/Tokyo", 32400), ("UTC", 0), ("Asia/Kolkata", 19800)])
    func `zones without changes`(name: String, seconds: Int32) {
        #expect(ZoneCompiler.table(named: name) == ZoneTable(name: name, initialOffsetSeconds: seconds))
    }

    @Test func `New York, Lord Howe's half hours, Samoa's lost day, Caracas`() throws {
        let york = try #require(ZoneCompiler.table(named: "America/New_York"))
        #expect(offset(york, 1_710_053_999) == -18000)
        #expect(offset(york, 1_710_054_000) == -14400)
        let howe = try #require(ZoneCompiler.table(named: "Australia/Lord_Howe"))
        #expect(Set(howe.transitions.suffix(10).map(\.offsetSeconds)) == [37800, 39600])
        let apia = try #require(ZoneCompiler.table(named: "Pacific/Apia"))
        #expect(
            apia.transitions.contains(ZoneTable.Transition(at: Instant(milliseconds: 1_325_239_200_000), offsetSeconds: 50400)))
        let caracas = try #require(ZoneCompiler.table(named: "America/Caracas"))
        #expect(offset(caracas, 1_300_000_000) == -16200)
        #expect(offset(caracas, 1_500_000_000) == -14400)
    }
}
