import Model
import Testing

@testable import Templates

/// The error of reading or rendering; nil when there is none.
func failure(_ source: String, _ context: TemplateValue = .object([:]), limits: RenderLimits = RenderLimits()) -> TemplateError? {
    do throws(TemplateError) {
        _ = try Template.parse(source).render(context, escape: .html, limits: limits)
        return nil
    } catch {
        return error
    }
}

func printed(_ source: String, _ context: TemplateValue = .object([:]), escape: Escape = .html) throws -> String {
    try Template.parse(source).render(context, escape: escape)
}

@Suite struct `Missing variables` {
    let customer = TemplateValue.fields([Trait("customer.first_name", "Anna"), Trait("customer.nick", "")])

    @Test func `E2 a missing variable stops the message and is named with its place`() {
        let error = failure("Hello\n  {{ customer.frist_name }}!", customer)
        #expect(error?.code == .missingVariable("customer.frist_name"))
        #expect(error?.line == 2)
        #expect(error?.column == 6)
        #expect(error?.description.contains("customer.frist_name") == true)
    }

    @Test(arguments: [
        "{{ a }}", "{{ a.b.c }}", "{{ a | upcase | truncate: 3 }}", "{{ customer.first_name.x }}", "{{ 'x' | replace: a, 'b' }}",
        "{{ customer.nick | default: a }}", "{% if a > 3 %}x{% endif %}", "{% for i in a %}x{% endfor %}",
        "{% if a contains 'x' %}{% endif %}",
    ])
    func `E2 nothing stands for what is missing`(source: String) {
        guard case .missingVariable("a") = failure(source, customer)?.code else {
            #expect(
                failure(source, customer)?.code == .missingVariable(source.contains("a.b") ? "a.b.c" : "customer.first_name.x"))
            return
        }
    }

    @Test func `a default stands for what is missing, empty or false, not for zero`() throws {
        #expect(try printed("{{ a | default: 'x' }}{{ customer.nick | default('y') }}{{ 0 | default: 1 }}", customer) == "xy0")
        #expect(try printed("{{ a | upcase | default: 'x' }}", customer) == "x")
    }

    @Test func `a template may ask whether something is there`() throws {
        #expect(try printed("{% if a %}1{% elsif customer.first_name %}2{% endif %}", customer) == "2")
        #expect(
            try printed("{% if a is defined %}1{% else %}2{% endif %}{% if customer.nick is empty %}3{% endif %}", customer)
                == "23")
        #expect(
            try printed("{% if a == nil %}1{% endif %}{% if a == 'x' %}2{% endif %}{% if not a %}3{% endif %}", customer) == "13")
    }

    @Test func `the variables that a template needs are known before it is rendered`() throws {
        let template = try Template.parse(
            "{{ a.b }}\n{% for x in list %}{{ x.c }}{{ loop.index }}{{ d }}{% endfor %}{% if x %}{% endif %}")
        #expect(template.variables.map(\.path) == ["a.b", "list", "d", "x"])
        #expect(template.variables.map(\.line) == [1, 2, 2, 2])
        #expect(template.variables[0].column == 4)
    }
}

@Suite struct `Escaping` {
    let evil = TemplateValue.fields([Trait("v", "<script>alert('x') & \"y\"</script>")])

    @Test func `E2 html parts are escaped, text parts are not`() throws {
        #expect(try printed("{{ v }}", evil) == "&lt;script&gt;alert(&#39;x&#39;) &amp; &quot;y&quot;&lt;/script&gt;")
        #expect(try printed("{{ v }}", evil, escape: .none) == "<script>alert('x') & \"y\"</script>")
    }

    @Test(arguments: [
        "{{ v | upcase }}", "{{ v | default: 'a' }}", "{{ v | raw | upcase }}", "{{ v | truncate: 500 }}", "{{ a | default: v }}",
        "{{ v | strip }}", "{{ '<script>' }}", "{{ v | newline_to_br }}", "{{ v | replace: 'a', '<b>' }}",
    ])
    func `no filter lets markup through by accident`(source: String) throws {
        let text = try printed(source, evil).lowercased()
        #expect(!text.contains("<script"))
        #expect(!text.contains("<b>"))
    }

    @Test func `raw says so, escape happens once`() throws {
        #expect(try printed("{{ v | raw }}", evil).hasPrefix("<script>"))
        #expect(try printed("{{ v | escape }}", evil) == printed("{{ v }}", evil))
        #expect(try printed("{{ 'a b/ü&' | url_encode }}", evil) == "a%20b%2F%C3%BC%26")
    }

    @Test func `a header is one line whatever the data holds`() throws {
        let context = TemplateValue.fields([Trait("v", "Hi\r\nBcc: all@example.com\u{2028}x\u{0}y\u{85}z\t ")])
        let line = try Template.parse(" {{ v }}\n").renderLine(context)
        #expect(line == "Hi Bcc: all@example.com x y z")
        #expect(throws: TemplateError.self) {
            try Template.parse("{{ v }}").renderLine(TemplateValue.fields([Trait("v", "\r\n")]))
        }
    }
}

@Suite struct `Values` {
    @Test func `flat fields become objects`() throws {
        let context = TemplateValue.fields([
            Trait("customer.address", "whole"), Trait("customer.address.city", "Riga"), Trait("customer.id", "7"),
            Trait("plain", "p"),
        ])
        #expect(
            try printed("{{ customer.address }} {{ customer.address.city }} {{ customer.id }} {{ plain }}", context)
                == "whole Riga 7 p")
        let reversed = TemplateValue.fields([Trait("a.b.c", "1"), Trait("a.b", "2")])
        #expect(try printed("{{ a.b.c }}{{ a.b }}", reversed) == "12")
    }

    @Test func `texts that are numbers compare as numbers`() throws {
        let context = TemplateValue.fields([Trait("total", "100.50"), Trait("limit", "99.9"), Trait("word", "abc")])
        #expect(
            try printed(
                "{% if total > limit %}1{% endif %}{% if total == 100.5 %}2{% endif %}{% if total >= 100.50 %}3{% endif %}",
                context) == "123")
        #expect(try printed("{% if word < 'b' %}1{% endif %}{% if word == 1 %}2{% endif %}", context) == "1")
        #expect(failure("{% if word > 3 %}{% endif %}", context)?.code == .value)
    }

    @Test func `numbers and money`() throws {
        let context = TemplateValue.fields([Trait("n", "-1234567.005"), Trait("c", "EUR")])
        #expect(try printed("{{ n | money }}", context) == "-1,234,567.01")
        #expect(try printed("{{ n | money: c }}", context) == "-1,234,567.01 EUR")
        #expect(try printed("{{ n | number_format(2, ',', ' ') }}", context) == "-1 234 567,01")
        #expect(try printed("{{ n | number_format }} {{ n | round: 1 }} {{ 2.5 | round }}", context) == "-1,234,567 -1234567.0 3")
        #expect(failure("{{ 'x' | money }}")?.code == .value)
    }

    @Test func `objects and lists are not printed by accident`() {
        #expect(failure("{{ a }}", TemplateValue.fields([Trait("a.b", "1")]))?.code == .value)
        #expect(failure("{{ a }}", .object(["a": .list([])]))?.code == .value)
        #expect(failure("{{ 'no date' | date: '%Y' }}")?.code == .value)
        #expect(failure("{{ '2023-02-29' | date: '%Y' }}")?.code == .value)
    }
}

@Suite struct `Templates that are wrong` {
    @Test(arguments: [
        ("{{ a", 1, 1, "not closed"), ("x\n{% if a %}", 2, 1, "endif"), ("{% endif %}", 1, 1, "outside"),
        ("{{ }}", 1, 1, "nothing"),
        ("{{ a | upcas }}", 1, 8, "unknown filter 'upcas'"), ("{% include 'x' %}", 1, 1, "unknown tag 'include'"),
        ("{{ a b }}", 1, 6, "'b'"),
        ("{% if a = 1 %}{% endif %}", 1, 9, "=="), ("{{ 'a }}", 1, 4, "quotes"), ("{# a", 1, 1, "#}"),
        ("{% for a %}{% endfor %}", 1, 1, "in list"),
        ("{% if a and b or c %}{% endif %}", 1, 15, "parentheses"), ("{{ a | truncate }}", 1, 8, "1 to 2 values"),
        ("{{ a | date: '%Q' }}", 1, 8, "%Q"), ("{% if a %}{% else %}{% else %}{% endif %}", 1, 21, "second"),
        ("{% for a in b %}{% endif %}", 1, 17, "endfor"), ("{% comment %}", 1, 1, "endcomment"),
        ("{{ 1234567890123456789 }}", 1, 4, "18 digits"),
        ("é{{ ! }}", 1, 5, "'!'"), ("{{ a[b] }}", 1, 6, "between"), ("{% if %}{% endif %}", 1, 4, "missing"),
        ("{{ a. }}", 1, 5, "missing"),
    ])
    func `are refused with their place`(source: String, line: Int, column: Int, words: String) {
        let error = failure(source)
        #expect(error?.code == .syntax)
        #expect(error?.line == line)
        #expect(error?.column == column, "\(source): \(String(describing: error))")
        #expect(error?.message.contains(words) == true, "\(source): \(String(describing: error))")
    }

    @Test func `I8 every rendering ends`() {
        let list = TemplateValue.object([
            "l": .list(Array(repeating: .string("x"), count: 200)), "s": .string(String(repeating: "a", count: 1000)),
        ])
        var limits = RenderLimits()
        #expect(failure("{% for a in l %}{% for b in l %}{% endfor %}{% endfor %}", list)?.code == .limit)
        limits.outputBytes = 100
        #expect(failure("{% for a in l %}{{ a }}{% endfor %}", list, limits: limits)?.code == .limit)
        #expect(failure("{{ s | replace: 'a', s }}", list)?.code == .limit)
        #expect(failure("{{ s | size }}", list, limits: limits) == nil)
        limits = RenderLimits()
        limits.steps = 50
        #expect(failure("{% for a in l %}{% if a == 'x' %}{% endif %}{% endfor %}", list, limits: limits)?.code == .limit)
    }

    @Test func `I8 nesting and size are bounded`() {
        let deep = String(repeating: "{% if true %}", count: 5000) + String(repeating: "{% endif %}", count: 5000)
        #expect(failure(deep)?.message.contains("nested") == true)
        #expect(failure("{{ " + String(repeating: "(", count: 400) + "1 }}")?.message.contains("nested") == true)
        #expect(failure("{% if " + String(repeating: "not ", count: 400) + "a %}{% endif %}")?.message.contains("nested") == true)
        #expect(failure(String(repeating: "x", count: Limits.templateBytesMax + 1))?.code == .limit)
        let chain = "{% if a" + String(repeating: " or a", count: 20_000) + " %}{% endif %}"
        #expect(failure(chain)?.message.contains("more than 500 words") == true)
        #expect(failure("{{ a" + String(repeating: "|e", count: 50_000) + " }}")?.message.contains("more than 500 words") == true)
        #expect(failure("{{ " + String(repeating: "(", count: 50_000))?.code == .syntax)
    }

    @Test func `any bytes are read or refused, never crash`() {
        var state: UInt64 = 42
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let parts = [
            "{{", "}}", "{%", "%}", "{#", "#}", "-", " ", "if", "for", "in", "a", ".", "|", "default", ":", "'x'", "(", ")", "[",
            "]", "1",
            "endif", "endfor", "else", "\n", "é", "==", "and", "or", "not", "raw", "endraw", "comment", "endcomment", ",", "\"",
            "\\",
        ]
        var read = 0
        for _ in 0..<3000 {
            let source = (0..<next(24)).map { _ in parts[next(parts.count)] }.joined()
            if let template = try? Template.parse(source) {
                read += 1
                _ = try? template.render(.object(["a": .string("v")]), escape: .html)
            }
        }
        #expect(read > 100)
    }
}
