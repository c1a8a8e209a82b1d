/// Reads the tokens of one output or tag.
struct ExpressionParser {
    private let tokens: [Token]
    private var index: Int
    /// Where the output or tag ends: the place of what is missing.
    private let start: Int
    private var depth = 0
    /// Variables as they are met, those of loops too.
    private(set) var variables: [VariablePath] = []

    init(_ tokens: [Token], from index: Int = 0, start: Int) {
        self.tokens = tokens
        self.index = index
        self.start = start
    }

    /// The whole rest as one value.
    static func value(_ tokens: [Token], from index: Int = 0, start: Int, into variables: inout [VariablePath]) throws(Fault)
        -> Expression
    {
        var parser = ExpressionParser(tokens, from: index, start: start)
        let value = try parser.expression()
        if let extra = parser.next { throw Fault(at: extra.offset, "\(extra.described) is not expected here") }
        variables += parser.variables
        return value
    }

    private var next: Token? { index < tokens.count ? tokens[index] : nil }
    private var end: Int { tokens.last?.offset ?? start }

    private func isWord(_ word: String, ahead: Int = 0) -> Bool {
        index + ahead < tokens.count && tokens[index + ahead].kind == .word(word)
    }

    private mutating func take(sign: String) -> Bool {
        guard next?.kind == .sign(sign) else { return false }
        index += 1
        return true
    }

    private mutating func take(word: String) -> Bool {
        guard isWord(word) else { return false }
        index += 1
        return true
    }

    private mutating func nested<Value>(_ body: (inout ExpressionParser) throws(Fault) -> Value) throws(Fault) -> Value {
        depth += 1
        guard depth <= RenderLimits.nestingMax else {
            throw Fault(at: next?.offset ?? end, "nested deeper than \(RenderLimits.nestingMax)")
        }
        let value = try body(&self)
        depth -= 1
        return value
    }

    /// `or` of `and`s. Liquid groups `a and b or c` from the right, Twig from the left: it is refused without parentheses.
    private mutating func expression() throws(Fault) -> Expression {
        var (left, joined) = try conjunction()
        while let at = next?.offset, take(word: "or") {
            if joined {
                throw Fault(
                    at: at, "'and' before 'or' is read differently by Twig and Liquid; put parentheses around one of them")
            }
            let right = try conjunction()
            left = .either(left, right.0)
            joined = right.joined
        }
        return left
    }

    private mutating func conjunction() throws(Fault) -> (Expression, joined: Bool) {
        var left = try negation()
        var joined = false
        while take(word: "and") {
            left = .both(left, try negation())
            joined = true
        }
        return (left, joined)
    }

    private mutating func negation() throws(Fault) -> Expression {
        guard take(word: "not") else { return try relation() }
        return .not(try nested { parser throws(Fault) in try parser.negation() })
    }

    private mutating func relation() throws(Fault) -> Expression {
        let left = try filtered()
        guard let token = next else { return left }
        switch token.kind {
        case .sign(let sign):
            guard let relation = Relation(symbol: sign) else { return left }
            index += 1
            return .relation(left, relation, try filtered(), at: token.offset)
        case .word("contains"):
            index += 1
            return .relation(left, .contains, try filtered(), at: token.offset)
        case .word("in"):
            index += 1
            return .relation(try filtered(), .contains, left, at: token.offset)
        case .word("not") where isWord("in", ahead: 1):
            index += 2
            return .not(.relation(try filtered(), .contains, left, at: token.offset))
        case .word("is"):
            index += 1
            return try test(left)
        default:
            return left
        }
    }

    private mutating func test(_ value: Expression) throws(Fault) -> Expression {
        let negated = take(word: "not")
        let result: Expression
        if take(word: "defined") {
            result = .test(value, .defined)
        } else if take(word: "empty") {
            result = .test(value, .empty)
        } else if take(word: "null") || take(word: "none") {
            result = .not(.test(value, .defined))
        } else {
            throw Fault(at: next?.offset ?? end, "after 'is' stands one of: defined, empty, null, none")
        }
        return negated ? .not(result) : result
    }

    private mutating func filtered() throws(Fault) -> Expression {
        var value = try primary()
        while take(sign: "|") {
            guard let token = next, case .word(let name) = token.kind else {
                throw Fault(at: next?.offset ?? end, "after '|' stands the name of a filter")
            }
            index += 1
            guard let filter = Filter(name: name) else {
                throw Fault(at: token.offset, "unknown filter '\(name)'; allowed are \(Filter.names.joined(separator: ", "))")
            }
            let call = FilterCall(filter: filter, arguments: try arguments(), offset: token.offset)
            try filter.check(call)
            value = .filtered(value, call)
        }
        return value
    }

    /// `: a, b` or `(a, b)`.
    private mutating func arguments() throws(Fault) -> [Expression] {
        let closes: Bool
        if take(sign: ":") { closes = false } else if take(sign: "(") { closes = true } else { return [] }
        if closes, take(sign: ")") { return [] }
        var arguments = [try primary()]
        while take(sign: ",") { arguments.append(try primary()) }
        if closes, !take(sign: ")") { throw Fault(at: next?.offset ?? end, "')' is missing after the filter's values") }
        return arguments
    }

    private mutating func primary() throws(Fault) -> Expression {
        guard let token = next else { throw Fault(at: end, "a value is missing at the end") }
        index += 1
        switch token.kind {
        case .text(let text): return .literal(.string(text))
        case .number(let number): return .literal(.number(number))
        case .word(let word): return try named(word, at: token.offset)
        case .sign("("):
            let value = try nested { parser throws(Fault) in try parser.expression() }
            guard take(sign: ")") else { throw Fault(at: next?.offset ?? end, "')' is missing") }
            return value
        case .sign: throw Fault(at: token.offset, "\(token.described) stands where a value is expected")
        }
    }

    private static let reserved: Set<String> = ["and", "or", "not", "in", "is", "contains", "if", "else", "for"]

    private mutating func named(_ word: String, at offset: Int) throws(Fault) -> Expression {
        switch word {
        case "true": return .literal(.bool(true))
        case "false": return .literal(.bool(false))
        case "nil", "null", "none": return .literal(nil)
        case _ where Self.reserved.contains(word): throw Fault(at: offset, "'\(word)' stands where a value is expected")
        default: break
        }
        var path = VariablePath(name: word, steps: [], offset: offset)
        while true {
            if take(sign: ".") {
                guard let token = next else { throw Fault(at: end, "a name is missing after '.'") }
                index += 1
                switch token.kind {
                case .word(let key): path.steps.append(.key(key))
                case .number(let number) where number.scale == 0 && number.unscaled >= 0:
                    path.steps.append(.index(Int(number.unscaled)))
                default: throw Fault(at: token.offset, "\(token.described) stands where a name is expected after '.'")
                }
            } else if take(sign: "[") {
                guard let token = next else { throw Fault(at: end, "'[' is not closed") }
                index += 1
                switch token.kind {
                case .text(let key): path.steps.append(.key(key))
                case .number(let number) where number.scale == 0 && number.unscaled >= 0:
                    path.steps.append(.index(Int(number.unscaled)))
                default: throw Fault(at: token.offset, "between '[' and ']' stands a number from 0 or a text in quotes")
                }
                guard take(sign: "]") else { throw Fault(at: next?.offset ?? end, "']' is missing") }
            } else {
                variables.append(path)
                return .variable(path)
            }
        }
    }
}
