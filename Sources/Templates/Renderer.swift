/// Prints a tree.
struct Renderer {
    private var evaluator: Evaluator
    private var output = ""
    private var rounds = 0

    init(root: TemplateValue, escape: Escape, limits: RenderLimits) {
        evaluator = Evaluator(root: root, escape: escape, limits: limits)
    }

    static func render(_ nodes: [Node], root: TemplateValue, escape: Escape, limits: RenderLimits) throws(Fault) -> String {
        var renderer = Renderer(root: root, escape: escape, limits: limits)
        try renderer.print(nodes)
        return renderer.output
    }

    private mutating func append(_ text: String, at offset: Int) throws(Fault) {
        output += text
        guard output.utf8.count <= evaluator.limits.outputBytes else {
            throw Fault(.limit, at: offset, "the message is longer than \(evaluator.limits.outputBytes) bytes")
        }
    }

    private mutating func print(_ nodes: [Node]) throws(Fault) {
        for node in nodes {
            switch node {
            case .text(let text):
                try evaluator.count(1, at: 0)
                try append(text, at: 0)
            case .output(let expression, let at): try print(expression, at: at)
            case .branches(let branches, let otherwise): try print(branches, otherwise: otherwise)
            case .loop(let loop): try print(loop)
            }
        }
    }

    private mutating func print(_ expression: Expression, at offset: Int) throws(Fault) {
        try evaluator.count(1, at: offset)
        let result = try evaluator.evaluate(expression)
        let value = try evaluator.present(result, at: offset)
        guard let text = value.text else {
            throw Fault(.value, at: offset, "\(value.kind) cannot be printed; name a member, or use join")
        }
        try append(result.safe || evaluator.escape == .none ? text : Escape.html(text), at: offset)
    }

    private mutating func print(_ branches: [Branch], otherwise: [Node]) throws(Fault) {
        for branch in branches where try evaluator.isTrue(branch.condition) { return try print(branch.body) }
        try print(otherwise)
    }

    private mutating func print(_ loop: Loop) throws(Fault) {
        let list = try evaluator.present(try evaluator.evaluate(loop.list), at: loop.offset)
        guard case .list(let items) = list else { throw Fault(.value, at: loop.offset, "a loop needs a list, not \(list.kind)") }
        if items.isEmpty { return try print(loop.otherwise) }
        for (index, item) in items.enumerated() {
            rounds += 1
            guard rounds <= evaluator.limits.iterations else {
                throw Fault(.limit, at: loop.offset, "the loops make more than \(evaluator.limits.iterations) rounds")
            }
            let state = TemplateValue.object([
                "index": .integer(Int64(index + 1)), "index0": .integer(Int64(index)), "length": .integer(Int64(items.count)),
                "first": .bool(index == 0), "last": .bool(index == items.count - 1),
            ])
            let outer = evaluator.scopes.count
            evaluator.scopes += [(loop.variable, item), ("loop", state), ("forloop", state)]
            try print(loop.body)
            evaluator.scopes.removeLast(evaluator.scopes.count - outer)
        }
    }
}
