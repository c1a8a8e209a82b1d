internal import Foundation
import Testing

@testable import Templates

/// What two other implementations print; `Tests/Oracles/templates.py` makes it.
struct Oracle: Decodable {
    /// A template in two writings; nil = both stop at a missing variable.
    struct Case: Decodable {
        var liquid: String
        var twig: String
        var escapes: Bool
        var expected: String?
    }

    struct DateCase: Decodable {
        var date: String
        var liquid: String
        var twig: String
        var expected: String
    }

    struct NumberCase: Decodable {
        var number: String
        var digits: Int
        var expected: String
    }

    var templates: [Case]
    var dates: [DateCase]
    var numbers: [NumberCase]

    static func read() throws -> Oracle {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try JSONDecoder().decode(Oracle.self, from: Data(contentsOf: tests.appending(path: "Oracles/templates.json")))
    }
}

@Suite struct `Against other implementations` {
    static let context: TemplateValue = .object([
        "customer": .object([
            "first_name": .string("Zoë"), "last_name": .string("O'Hara <b>"), "city": .string("Moscow"),
            "note": .string("a & b\nsecond \"line\""), "email": .string("zoe@example.com"), "lower": .string("mIxEd case"),
        ]),
        "product": .object(["id": .string("p1"), "name": .string("CD \"Blue\""), "category": .string("music")]),
        "order": .object(["id": .string("A-17"), "total": .string("1234.5"), "count": .integer(3), "currency": .string("USD")]),
        "items": .list([item("one", 5), item("two & a half", 25), item("three", 125)]),
        "words": .list([.string("alpha"), .string("beta"), .string("gamma")]),
        "nothing_left": .list([]),
    ])

    private static func item(_ name: String, _ price: Int64) -> TemplateValue {
        .object(["name": .string(name), "price": .integer(price)])
    }

    /// What is printed, or nil when a variable is missing.
    private func printed(_ source: String, _ escapes: Bool) throws -> String? {
        do throws(TemplateError) {
            return try Template.parse(source).render(Self.context, escape: escapes ? .html : .none)
        } catch {
            guard case .missingVariable = error.code else { throw error }
            return nil
        }
    }

    @Test func `E2 prints what python-liquid and Jinja2 print`() throws {
        let oracle = try Oracle.read()
        #expect(oracle.templates.count > 200)
        for example in oracle.templates {
            #expect(try printed(example.liquid, example.escapes) == example.expected, "\(example.liquid)")
            #expect(try printed(example.twig, example.escapes) == example.expected, "\(example.twig)")
        }
    }

    @Test func `prints dates as Python does, in both writings`() throws {
        for example in try Oracle.read().dates {
            let context = TemplateValue.object(["d": .string(example.date)])
            #expect(try Template.parse("{{ d | date: '\(example.liquid)' }}").render(context, escape: .none) == example.expected)
            #expect(try Template.parse("{{ d|date('\(example.twig)') }}").render(context, escape: .none) == example.expected)
        }
    }

    @Test func `prints numbers as Python's decimals do`() throws {
        for example in try Oracle.read().numbers {
            let context = TemplateValue.object(["n": .string(example.number)])
            #expect(
                try Template.parse("{{ n | number_format: \(example.digits) }}").render(context, escape: .none)
                    == example.expected, "\(example.number)")
        }
    }
}
