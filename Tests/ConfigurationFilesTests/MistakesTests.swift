import Model
import Testing

@testable import ConfigurationFiles

/// A file with one rule of this body, which begins in line 4.
private func rule(_ body: String) -> (name: String, text: String) {
    ("f.yaml", installation + "rules:\n  - name: r\n" + body.split(separator: "\n").map { "    " + $0 + "\n" }.joined())
}

@Suite struct `Mistakes` {
    @Test func `an unknown field is named with its place and what may be meant`() {
        let found = problems(rule("mehcanic: review_request\nmechanic: review_request\nafter: 3d\naction: record"))
        #expect(found.count == 1)
        #expect(
            found[0].hasPrefix(
                "f.yaml:4:5: rules[0].mehcanic: unknown field; did you mean 'mechanic'? allowed are name, title, on,"))
    }

    @Test(arguments: [
        ("mechanic: review\nafter: 3d\naction: record", "f.yaml:4:15: rules[0].mechanic: 'review' is not known"),
        ("mechanic: review_request\naction: record", "f.yaml:3:5: rules[0].after: is missing"),
        (
            "mechanic: review_request\nafter: 1 month\naction: record",
            "f.yaml:5:12: rules[0].after: months and years differ in length"
        ),
        (
            "mechanic: review_request\nafter: -3d\naction: record",
            "f.yaml:5:12: rules[0].after: a length of time cannot be negative"
        ),
        ("mechanic: review_request\nafter: 30\naction: record", "f.yaml:5:12: rules[0].after: '30' has no unit"),
        ("mechanic: review_request\nafter: 1.5d\naction: record", "f.yaml:5:12: rules[0].after: '1.5d' is not whole"),
        (
            "mechanic: review_request\nafter: 4000d\naction: record",
            "f.yaml:5:12: rules[0].after: '4000d' is longer than ten years"
        ),
        ("mechanic: review_request\nafter: 99999999999999999999d\naction: record", "longer than ten years"),
        (
            "mechanic: review_request\nafter: [3d]\naction: record",
            "f.yaml:5:12: rules[0].after: a length of time such as 3d is expected, not a list"
        ),
        ("mechanic: review_request\nafter: 3d\naction: recrod", "f.yaml:6:13: rules[0].action: 'recrod' is no action"),
        (
            "mechanic: review_request\nafter: 3d\naction: { email: nope }",
            "f.yaml:6:22: rules[0].action.email: there is no template 'nope'"
        ),
        (
            "mechanic: review_request\nafter: 3d\naction: record\nsegments: { all: [nope] }",
            "f.yaml:7:23: rules[0].segments.all[0]: there is no segment 'nope'"
        ),
        (
            "mechanic: review_request\nafter: 3d\naction: record\npriority: 5000",
            "rules[0].priority: 5000 is out of range; allowed are -1000 to 1000"
        ),
        ("mechanic: review_request\nafter: 3d\naction: record\non: maybe", "rules[0].on: true or false is expected"),
        (
            "mechanic: review_request\nafter: 3d\naction: record\nhours: { from: \"25:00\" }",
            "rules[0].hours.from: a time of day such as"
        ),
        (
            "mechanic: review_request\nafter: 3d\naction: record\nhours: { days: [monday] }",
            "rules[0].hours.days[0]: 'monday' is not known"
        ),
        ("mechanic: review_request\nafter: 3d\naction: record\nhours: { days: [] }", "rules[0].hours.days: is empty"),
        (
            "mechanic: review_request\nafter: 3d\nahead: 1d\naction: record",
            "rules[0].ahead: does not belong to review_request; it takes after"
        ),
        (
            "mechanic: review_request\nafter: 3d\naction: record\nconversion: 14d",
            "rules[0].conversion: a group of fields is expected (window), not '14d'"
        ),
        ("mechanic: regular_consumption\naction: record", "rules[0].period: is missing; give a period"),
        ("mechanic: regular_consumption\nperiod: 0d\naction: record", "rules[0].period: must be longer than nothing"),
        (
            "mechanic: regular_consumption\nperiod: 3d\nahead: 3d\naction: record",
            "rules[0].ahead: 3d is not shorter than the period, 3d"
        ),
        (
            "mechanic: regular_consumption\nperiod: 30d\nperiods: { a: 2d }\nahead: 3d\naction: record",
            "shorter than the period of 'a', 2d (f.yaml:6:16)"
        ),
        (
            "mechanic: regular_consumption\nperiods: { a: 2d }\ngoods: { products: [a, b] }\naction: record",
            "the product 'b' has no period"
        ),
        (
            "mechanic: regular_consumption\nperiod: 9d\nperiods: { a: 2d }\ngoods: { products: [b] }\naction: record",
            "'a' is not among the rule's goods"
        ),
        (
            "mechanic: regular_consumption\nperiods_file: nope.csv\naction: record",
            "f.yaml:5:19: rules[0].periods_file: 'nope.csv': there is no such file"
        ),
        ("mechanic:\naction: record", "f.yaml:4:5: rules[0].mechanic: has no value"),
        ("title: \"a\\nb\"\nmechanic: review_request\nafter: 3d\naction: record", "rules[0].title: must be one line"),
        (
            "mechanic: review_request\nafter: 3d\naction: record\naction: record",
            "f.yaml:7:5: the field 'action' is given twice; first at f.yaml:6:5"
        ),
        ("mechanic: review_request\nafter: 3d\naction: record\n\"action\": record", "given twice"),
    ])
    func `of a rule`(body: String, expected: String) {
        let found = problems(rule(body))
        #expect(found.contains { $0.contains(expected) }, "\(found)")
        #expect(found.allSatisfy { $0.hasPrefix("f.yaml:") })
    }

    @Test(arguments: [
        ("rules: [", "f.yaml:2:1: not YAML:"), ("rules:\n\t- a", "not YAML: found character that cannot start any token"),
        ("---\n---\n", "one document a file"), ("- a", "f.yaml:1:1: a group of fields is expected"),
        ("installtion: {}", "did you mean 'installation'?"),
        ("rules: {}", "f.yaml:1:8: rules: a list is expected, not a group of fields"),
        ("a: &x [1]\nb: *x", "f.yaml:1:4: anchors (&)"),
        ("- *x", "f.yaml:1:3: anchors"), ("? {a: *x}\n: b", "anchors"), ("a: \u{1}", "not YAML: control characters"),
        ("rules: " + String(repeating: "[", count: 200) + String(repeating: "]", count: 200), "nested deeper than 64"),
        ("rules: " + String(repeating: "[", count: 100_000), "not YAML"),
        ("installation: { currency: usd, time_zone: UTC }", "'usd' is no currency"),
        ("installation: { currency: USD, time_zone: Europe/Moskow }", "did you mean 'Europe/Moscow'?"),
        ("installation: { currency: USD }", "f.yaml:1:15: installation.time_zone: is missing"),
        ("segments: []", "f.yaml: installation: is missing in all files"),
    ])
    func `of a file`(text: String, expected: String) {
        let found = problems(("f.yaml", text))
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }

    @Test(arguments: [
        ("{ name: A, orders: { at_least: 1 } }", "segments[0].name: 'A' is no name"), ("{ name: a }", "says no condition"),
        ("{ name: a, all: [] }", "segments[0].all: is empty"), ("{ name: a, orders: {} }", "compares nothing"),
        ("{ name: a, orders: { atleast: 2 } }", "did you mean 'at_least'?"),
        ("{ name: a, orders: { at_least: 2.5 } }", "a whole number is expected"),
        ("{ name: a, orders: { at_least: -1 } }", "-1 is out of range"),
        ("{ name: a, order_sum: { at_least: 1.005 } }", "has 3 digits after the point; USD has 2"),
        ("{ name: a, order_sum: { at_least: 1e3 } }", "is no amount"),
        ("{ name: a, order_sum: { at_least: -1 } }", "cannot be negative"),
        ("{ name: a, order_sum: { at_least: 99999999999 } }", "at most 10000000000.00 is allowed"),
        ("{ name: a, segment: b }", "there is no segment 'b'"),
        ("{ name: a, segment: a }", "in a circle: a -> a"),
        ("{ name: a, last_order: { older_than: 0d } }", "must be longer than nothing"),
    ])
    func `of a segment`(item: String, expected: String) {
        let found = problems(("f.yaml", installation + "segments:\n  - " + item))
        #expect(found.count == 1)
        #expect(found.first?.contains(expected) == true, "\(found)")
    }

    @Test func `segments cannot grow without bound, nor go in circles`() {
        var text = installation + "segments:\n  - { name: s0, any: [ { orders: { exactly: 1 } }, { orders: { exactly: 2 } } ] }\n"
        for index in 1...40 {
            text += "  - { name: s\(index), any: [ { segment: s\(index - 1) }, { segment: s\(index - 1) } ] }\n"
        }
        #expect(problems(("f.yaml", text)).contains { $0.contains("more than 1024 conditions") })
        let deep = String(repeating: "{ any: [", count: 20) + "{ orders: { exactly: 1 } }" + String(repeating: "] }", count: 20)
        #expect(
            problems(("f.yaml", installation + "segments: [ { name: a, all: [ \(deep) ] } ]")).contains {
                $0.contains("deeper than 16")
            })
        let circle =
            installation + "segments: [ { name: a, segment: b }, { name: b, none: [ { segment: c } ] }, { name: c, segment: a } ]"
        #expect(problems(("f.yaml", circle)).contains { $0.contains("in a circle: a -> b -> c -> a") })
    }

    @Test func `templates are checked when they are applied, to the line of the file`() {
        let text =
            installation + """
                templates:
                  - name: a
                    from: nobody
                    subject: "{{ order.id"
                    text: |
                      Hello
                        {{ customer.first_name | upcas }}
                    html: "<p>{{ prodct.name }}</p>"
                """
        let found = problems(("f.yaml", text))
        #expect(found.count == 4)
        #expect(found[0].hasPrefix("f.yaml:4:11: templates[0].from: 'nobody' is no e-mail address"))
        #expect(found[1].hasPrefix("f.yaml:5:15: templates[0].subject: '{{' is not closed"))
        #expect(found[2].hasPrefix("f.yaml:8:34: templates[0].text: unknown filter 'upcas'"))
        #expect(found[3].hasPrefix("f.yaml:9:18: templates[0].html: no message has 'prodct.name'; did you mean 'product.name'?"))
    }

    @Test func `all mistakes of all files are listed, by place`() {
        let found = problems(
            ("a.yaml", installation + "rules: [ { name: x } ]\nsegments: [ { name: s, orders: { at_least: 1 } } ]"),
            ("b.yaml", "rules: ["),
            (
                "c.yaml",
                installation
                    + "segments: [ { name: s, orders: { at_least: 1 } } ]\n"
                    + "rules: [ { name: x, mechanic: review_request, after: 1d, action: record } ]"
            ))
        #expect(found.count == 6)
        #expect(found.map { $0.prefix(6) } == ["a.yaml", "a.yaml", "b.yaml", "c.yaml", "c.yaml", "c.yaml"])
        #expect(found[3] == "c.yaml:1:15: installation: is given twice; first at a.yaml:1:15")
        #expect(found[4].contains("the segment 's' is given twice; first at a.yaml:3:13"))
        #expect(found[5].contains("the rule 'x' is given twice; first at a.yaml:2:18"))
    }

    @Test func `broken rows of a table are named one by one`() {
        let found = problems(
            rule("mechanic: regular_consumption\nperiods_file: p.csv\naction: record"),
            ("p.csv", "product,days\na,1\na,2\nb\n,3\nc,-1\nd,x\ne,99999\n\"f,1\n"))
        #expect(found.count == 7)
        #expect(
            found.first?.hasPrefix("p.csv:3:1: rules[0].periods_file: the product 'a' has two periods; first at p.csv:2:1")
                == true)
        #expect(
            problems(rule("mechanic: regular_consumption\nperiods_file: p.csv\naction: record"), ("p.csv", "sku;days\n")).first?
                .contains("first line") == true)
    }

    @Test func `names whose numbers collide are refused`() throws {
        var known: [RuleID: String] = [:]
        var pair: (String, String)?
        for index in 0... {
            let name = "r\(index)"
            if let other = known.updateValue(name, forKey: RuleID(name: name)) {
                pair = (other, name)
                break
            }
        }
        let names = try #require(pair)
        let body = "mechanic: review_request, after: 1d, action: record"
        let found = problems(("f.yaml", installation + "rules: [ { name: \(names.0), \(body) }, { name: \(names.1), \(body) } ]"))
        #expect(found.count == 1)
        #expect(found[0].contains("have the same number"))
    }

    @Test func `bytes that are no UTF-8, files that are too large or missing`() {
        func found(_ bytes: [UInt8]) -> [String] {
            do throws(ConfigurationErrors) {
                _ = try ConfigurationFiles.load(names: ["f.yaml"], report: Report()) { _ in .success(bytes) }
                return []
            } catch {
                return error.problems.map(\.description)
            }
        }
        #expect(found(Array("a: b\nc: é".utf8) + [0xff])[0] == "f.yaml:2:5: this is not UTF-8; save the file as UTF-8")
        #expect(found([UInt8](repeating: 0x20, count: Limits.configurationFileBytesMax + 1))[0].contains("at most"))
        #expect(throws: ConfigurationErrors.self) { try ConfigurationFiles.load(paths: ["/nowhere/at/all.yaml"]) }
        #expect(throws: ConfigurationErrors.self) { try ConfigurationFiles.load(paths: []) }
    }

    @Test func `texts with stars and ampersands are no aliases`() throws {
        let text =
            installation + """
                templates:
                  - name: a
                    from: shop@example.com
                    subject: "*Sale* & more"
                    text: |
                      * one
                      *bold* &amp;

                      &x
                    html: '<a href="?a=1&b=2">*x*</a>'   # & *comment
                rules:
                  - { name: r, title: "Q&A, *x", mechanic: review_request, after: 3d, action: record }
                """
        #expect(try load(text).templates[0].text == "* one\n*bold* &amp;\n\n&x\n")
    }
}
