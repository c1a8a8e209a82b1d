// The binary form of conditions, as part of a rule set.

extension Condition {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .all(let parts):
            writer.byte(1)
            writer.list(parts) { $1.write(to: &$0) }
        case .any(let parts):
            writer.byte(2)
            writer.list(parts) { $1.write(to: &$0) }
        case .not(let part):
            writer.byte(3)
            part.write(to: &writer)
        case .orders(let figure, let within, let how, let value):
            writer.byte(4)
            writer.byte(figure.rawValue)
            writer.optional(within) { $0.signed($1) }
            writer.comparison(how, value)
        case .sinceLastOrder(let how, let value):
            writer.byte(5)
            writer.comparison(how, value)
        case .sinceFirstOrder(let how, let value):
            writer.byte(6)
            writer.comparison(how, value)
        case .acts(let act, let goods, let within, let how, let value):
            writer.byte(7)
            writer.byte(act.rawValue)
            goods.write(to: &writer)
            writer.optional(within) { $0.signed($1) }
            writer.comparison(how, value)
        case .sinceAct(let act, let goods, let how, let value):
            writer.byte(8)
            writer.byte(act.rawValue)
            goods.write(to: &writer)
            writer.comparison(how, value)
        case .rhythm(let how, let percent):
            writer.byte(9)
            writer.comparison(how, percent)
        case .pace(let how, let percent):
            writer.byte(10)
            writer.comparison(how, percent)
        case .trait(let name, let test):
            writer.byte(11)
            writer.string(name)
            test.write(to: &writer)
        case .anniversary(let trait, let before, let after):
            writer.byte(12)
            writer.string(trait)
            writer.signed(before)
            writer.signed(after)
        case .sinceEngagement(let sign, let how, let value):
            writer.byte(13)
            writer.byte(sign.rawValue)
            writer.comparison(how, value)
        case .consent(let channel, let state):
            writer.byte(14)
            writer.byte(channel.rawValue)
            writer.byte(state.rawValue)
        case .reachable(let channel):
            writer.byte(15)
            writer.byte(channel.rawValue)
        case .interest(let goods, let how, let value):
            writer.byte(16)
            goods.write(to: &writer)
            writer.comparison(how, value)
        }
    }

    static func read(_ reader: inout ByteReader, depth: Int) throws(FormatError) -> Condition {
        let start = reader.position
        guard depth < depthMax else { throw FormatError(.invalid("nesting"), at: start) }
        func within(_ reader: inout ByteReader) throws(FormatError) -> Int64? {
            try reader.optional { r throws(FormatError) in try r.signed() }
        }
        switch try reader.byte() {
        case 1: return .all(try reader.list(max: 256) { r throws(FormatError) in try read(&r, depth: depth + 1) })
        case 2: return .any(try reader.list(max: 256) { r throws(FormatError) in try read(&r, depth: depth + 1) })
        case 3: return .not(try read(&reader, depth: depth + 1))
        case 4: return .orders(try reader.choice(), within: try within(&reader), try reader.choice(), try reader.signed())
        case 5: return .sinceLastOrder(try reader.choice(), milliseconds: try reader.signed())
        case 6: return .sinceFirstOrder(try reader.choice(), milliseconds: try reader.signed())
        case 7:
            return .acts(
                try reader.choice(), try Goods.read(&reader), within: try within(&reader), try reader.choice(),
                try reader.signed())
        case 8:
            return .sinceAct(
                try reader.choice(), try Goods.read(&reader), try reader.choice(), milliseconds: try reader.signed())
        case 9: return .rhythm(try reader.choice(), percent: try reader.signed())
        case 10: return .pace(try reader.choice(), percent: try reader.signed())
        case 11: return .trait(try reader.string(), try TraitTest.read(&reader))
        case 12:
            return .anniversary(trait: try reader.string(), daysBefore: try reader.signed(), daysAfter: try reader.signed())
        case 13: return .sinceEngagement(try reader.choice(), try reader.choice(), milliseconds: try reader.signed())
        case 14: return .consent(try reader.choice(), try reader.choice())
        case 15: return .reachable(try reader.choice())
        case 16: return .interest(try Goods.read(&reader), try reader.choice(), try reader.signed())
        default: throw FormatError(.invalid("condition"), at: start)
        }
    }
}

extension TraitTest {
    fileprivate func write(to writer: inout ByteWriter) {
        switch self {
        case .exists: writer.byte(0)
        case .isOneOf(let values):
            writer.byte(1)
            writer.list(values) { $0.string($1) }
        case .number(let how, let value):
            writer.byte(2)
            writer.comparison(how, value)
        case .contains(let text):
            writer.byte(3)
            writer.string(text)
        }
    }

    fileprivate static func read(_ reader: inout ByteReader) throws(FormatError) -> TraitTest {
        let start = reader.position
        switch try reader.byte() {
        case 0: return .exists
        case 1: return .isOneOf(try reader.list(max: 256) { r throws(FormatError) in try r.string() })
        case 2: return .number(try reader.choice(), try reader.signed())
        case 3: return .contains(try reader.string())
        default: throw FormatError(.invalid("test of a trait"), at: start)
        }
    }
}

extension Goods {
    func write(to writer: inout ByteWriter) {
        for names in [products, categories, brands] { writer.list(names) { $0.string($1) } }
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> Goods {
        Goods(
            products: try reader.list { r throws(FormatError) in try r.string() },
            categories: try reader.list { r throws(FormatError) in try r.string() },
            brands: try reader.list { r throws(FormatError) in try r.string() })
    }
}

extension ByteWriter {
    fileprivate mutating func comparison(_ how: Comparison, _ value: Int64) {
        byte(how.rawValue)
        signed(value)
    }
}
