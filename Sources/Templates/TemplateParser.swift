/// Builds the tree of a template from its pieces.
struct TemplateParser {
    private let pieces: [Piece]
    private var index = 0
    private var depth = 0
    /// Names that the loops around bind, innermost last.
    private var bound: [String] = []
    /// Variables that must come from the context.
    private(set) var free: [VariablePath] = []

    private init(_ pieces: [Piece]) { self.pieces = pieces }

    static func parse(_ bytes: [UInt8]) throws(Fault) -> (nodes: [Node], free: [VariablePath]) {
        var parser = TemplateParser(try Scanner.pieces(of: bytes))
        let nodes = try parser.nodes(inside: nil)
        return (nodes, parser.free)
    }

    /// A block that is open: its word and its place.
    private struct Block {
        var word: String
        var offset: Int
    }

    private static let closing: Set<String> = ["elsif", "elseif", "elif", "else", "endif", "endfor"]

    /// Everything up to a tag that ends or divides the block; that tag is left to be read.
    private mutating func nodes(inside block: Block?) throws(Fault) -> [Node] {
        depth += 1
        guard depth <= RenderLimits.nestingMax else {
            throw Fault(at: block?.offset ?? 0, "blocks are nested deeper than \(RenderLimits.nestingMax)")
        }
        var nodes: [Node] = []
        while index < pieces.count {
            switch pieces[index] {
            case .text(let text): nodes.append(.text(text))
            case .output(let tokens, let at): nodes.append(.output(try value(tokens, from: 0, at: at), at: at))
            case .tag(let tokens, let at):
                let word = Self.word(tokens)
                if Self.closing.contains(word) {
                    guard block != nil else { throw Fault(at: at, "'{% \(word) %}' stands outside of any block") }
                    depth -= 1
                    return nodes
                }
                index += 1
                switch word {
                case "if": nodes.append(try branches(tokens, at: at))
                case "for": nodes.append(.loop(try loop(tokens, at: at)))
                default:
                    throw Fault(
                        at: at, "unknown tag '\(word)'; allowed are if, elsif (elseif), else, endif, for, endfor, comment, raw")
                }
                continue
            }
            index += 1
        }
        if let block {
            throw Fault(at: block.offset, "'{% \(block.word) %}' is not closed with '{% end\(block.word) %}'")
        }
        depth -= 1
        return nodes
    }

    private static func word(_ tokens: [Token]) -> String {
        if case .word(let word)? = tokens.first?.kind { word } else { "" }
    }

    private mutating func value(_ tokens: [Token], from index: Int, at offset: Int) throws(Fault) -> Expression {
        var met: [VariablePath] = []
        let value = try ExpressionParser.value(tokens, from: index, start: offset, into: &met)
        free += met.filter { !bound.contains($0.name) }
        return value
    }

    /// The tag at which a block stopped.
    private mutating func closer() throws(Fault) -> (word: String, tokens: [Token], at: Int) {
        guard index < pieces.count, case .tag(let tokens, let at) = pieces[index] else {
            throw Fault(at: 0, "a block is not closed")
        }
        index += 1
        return (Self.word(tokens), tokens, at)
    }

    private func mustBeBare(_ tokens: [Token]) throws(Fault) {
        if tokens.count > 1 { throw Fault(at: tokens[1].offset, "\(tokens[1].described) is not expected here") }
    }

    private mutating func branches(_ opening: [Token], at offset: Int) throws(Fault) -> Node {
        let block = Block(word: "if", offset: offset)
        var branches = [Branch(condition: try value(opening, from: 1, at: offset), body: try nodes(inside: block))]
        var otherwise: [Node]?
        while true {
            let tag = try closer()
            switch tag.word {
            case "elsif", "elseif", "elif":
                guard otherwise == nil else { throw Fault(at: tag.at, "'\(tag.word)' stands after 'else'") }
                let condition = try value(tag.tokens, from: 1, at: tag.at)
                branches.append(Branch(condition: condition, body: try nodes(inside: block)))
            case "else":
                guard otherwise == nil else { throw Fault(at: tag.at, "a second 'else' in one 'if'") }
                try mustBeBare(tag.tokens)
                otherwise = try nodes(inside: block)
            case "endif":
                try mustBeBare(tag.tokens)
                return .branches(branches, otherwise: otherwise ?? [])
            default:
                throw Fault(at: tag.at, "'{% \(tag.word) %}' stands where '{% endif %}' is expected")
            }
        }
    }

    private mutating func loop(_ opening: [Token], at offset: Int) throws(Fault) -> Loop {
        guard opening.count >= 4, case .word(let variable) = opening[1].kind, opening[2].kind == .word("in") else {
            throw Fault(at: offset, "a loop is written '{% for item in list %}'")
        }
        guard !["loop", "forloop"].contains(variable) else {
            throw Fault(at: opening[1].offset, "'\(variable)' is the loop's own")
        }
        let list = try value(opening, from: 3, at: offset)
        let block = Block(word: "for", offset: offset)
        bound += [variable, "loop", "forloop"]
        let body = try nodes(inside: block)
        bound.removeLast(3)
        var otherwise: [Node] = []
        var tag = try closer()
        if tag.word == "else" {
            try mustBeBare(tag.tokens)
            otherwise = try nodes(inside: block)
            tag = try closer()
        }
        guard tag.word == "endfor" else {
            throw Fault(at: tag.at, "'{% \(tag.word) %}' stands where '{% endfor %}' is expected")
        }
        try mustBeBare(tag.tokens)
        return Loop(variable: variable, list: list, body: body, otherwise: otherwise, offset: offset)
    }
}
