/// Values of expressions, within bounds.
struct Evaluator {
    let root: TemplateValue
    let escape: Escape
    let limits: RenderLimits
    /// What loops have bound, innermost last.
    var scopes: [(name: String, value: TemplateValue)] = []
    private(set) var steps = 0

    init(root: TemplateValue, escape: Escape, limits: RenderLimits) {
        self.root = root
        self.escape = escape
        self.limits = limits
    }

    struct Result {
        /// Nil = there is none.
        var value: TemplateValue?
        /// Already fit for where it is printed.
        var safe = false
        /// The variable that had no value.
        var missing: VariablePath?
    }

    mutating func count(_ amount: Int, at offset: Int) throws(Fault) {
        steps += amount
        guard steps <= limits.steps else { throw Fault(.limit, at: offset, "rendering takes more than \(limits.steps) steps") }
    }

    mutating func evaluate(_ expression: Expression) throws(Fault) -> Result {
        switch expression {
        case .literal(let value): return Result(value: value)
        case .variable(let path):
            try count(1 + path.steps.count, at: path.offset)
            if let value = lookUp(path) { return Result(value: value) }
            return Result(missing: path)
        case .filtered(let inner, let call): return try apply(call, to: try evaluate(inner))
        case .relation(let left, let relation, let right, let at):
            return Result(value: .bool(try holds(left, relation, right, at: at)))
        case .both(let left, let right):
            guard try isTrue(left) else { return Result(value: .bool(false)) }
            return Result(value: .bool(try isTrue(right)))
        case .either(let left, let right):
            if try isTrue(left) { return Result(value: .bool(true)) }
            return Result(value: .bool(try isTrue(right)))
        case .not(let inner): return Result(value: .bool(!(try isTrue(inner))))
        case .test(let inner, let test):
            let value = try evaluate(inner).value
            switch test {
            case .defined: return Result(value: .bool(value != nil))
            case .empty: return Result(value: .bool(value?.isEmpty ?? true))
            }
        }
    }

    /// What is missing is false here: that is how a template asks whether it is there.
    mutating func isTrue(_ expression: Expression) throws(Fault) -> Bool { try evaluate(expression).value?.isTrue ?? false }

    /// The value, or the fault that names what is missing.
    func present(_ result: Result, at offset: Int) throws(Fault) -> TemplateValue {
        if let value = result.value { return value }
        guard let path = result.missing else { throw Fault(.value, at: offset, "'nil' cannot be printed or used") }
        throw Fault(
            .missingVariable(path.text), at: path.offset,
            "'\(path.text)' has no value, and no default is given (| default: \"…\")")
    }

    private func lookUp(_ path: VariablePath) -> TemplateValue? {
        var value: TemplateValue?
        if let scope = scopes.last(where: { $0.name == path.name }) {
            value = scope.value
        } else if case .object(let members) = root {
            value = members[path.name]
        }
        for step in path.steps {
            switch (value, step) {
            case (.object(let members), .key(let key)): value = members[key]
            case (.object(let members), .index(let index)): value = members[String(index)]
            case (.list(let items), .index(let index)): value = items.indices.contains(index) ? items[index] : nil
            default: return nil
            }
        }
        return value
    }

    private mutating func holds(_ left: Expression, _ relation: Relation, _ right: Expression, at offset: Int) throws(Fault)
        -> Bool
    {
        let first = try evaluate(left)
        let second = try evaluate(right)
        try count(1 + (first.value?.text?.utf8.count ?? 0) / 64, at: offset)
        switch relation {
        case .equal: return Self.areEqual(first.value, second.value)
        case .notEqual: return !Self.areEqual(first.value, second.value)
        case .contains:
            let whole = try present(first, at: offset)
            let part = try present(second, at: offset)
            return try contains(whole, part, at: offset)
        case .less, .atMost, .greater, .atLeast: break
        }
        let order = try compare(try present(first, at: offset), try present(second, at: offset), at: offset)
        switch relation {
        case .less: return order < 0
        case .atMost: return order <= 0
        case .greater: return order > 0
        default: return order >= 0
        }
    }

    /// A number equals a text that says the same number; what is missing equals only what is missing.
    static func areEqual(_ left: TemplateValue?, _ right: TemplateValue?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        switch (left, right) {
        case (.number, _), (_, .number):
            guard let a = left.decimal, let b = right.decimal else { return false }
            return DecimalNumber.compare(a, b) == 0
        default: return left == right
        }
    }

    private func compare(_ left: TemplateValue, _ right: TemplateValue, at offset: Int) throws(Fault) -> Int {
        if let a = left.decimal, let b = right.decimal { return DecimalNumber.compare(a, b) }
        if case .string(let a) = left, case .string(let b) = right { return a == b ? 0 : a < b ? -1 : 1 }
        throw Fault(
            .value, at: offset,
            "\(left.kind) (\(Self.excerpt(left))) cannot be ordered against \(right.kind) (\(Self.excerpt(right)))")
    }

    private mutating func contains(_ whole: TemplateValue, _ part: TemplateValue, at offset: Int) throws(Fault) -> Bool {
        switch whole {
        case .list(let items):
            try count(items.count, at: offset)
            return items.contains { Self.areEqual($0, part) }
        case .string(let text):
            guard let piece = part.text else { throw Fault(.value, at: offset, "\(part.kind) cannot be a part of a text") }
            try count(1 + text.utf8.count / 64, at: offset)
            return TextFilters.find(Array(piece.utf8), in: Array(text.utf8)[...]) != nil
        default: throw Fault(.value, at: offset, "\(whole.kind) has no parts; a text or a list is expected")
        }
    }

    /// The beginning of a value, for messages.
    static func excerpt(_ value: TemplateValue) -> String {
        guard let text = value.text else { return value.kind }
        return text.count > 40 ? text.prefix(40) + "…" : text
    }
}
