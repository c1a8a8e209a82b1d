/// Finds YAML's anchors and aliases before the parser follows them: a few lines of them expand without bound, and a
/// configuration in git reads better without.
///
/// It knows block texts, quotes, comments and flow lists, as far as these files use them.
struct AliasGuard {
    private enum Quote { case none, single, double }

    private var quote = Quote.none
    private var flowDepth = 0
    /// Lines indented further than this belong to a block text.
    private var blockIndent: Int?

    /// Line and column of the first anchor or alias.
    static func first(in lines: [Substring]) -> (line: Int, column: Int)? {
        var state = AliasGuard()
        for (index, line) in lines.enumerated() {
            if let column = state.scan(Array(line.unicodeScalars)) { return (index + 1, column + 1) }
        }
        return nil
    }

    private mutating func scan(_ line: [Unicode.Scalar]) -> Int? {
        let indent = line.firstIndex { $0 != " " } ?? line.count
        if let limit = blockIndent {
            if indent == line.count || indent > limit { return nil }
            blockIndent = nil
        }
        var index = indent
        var startsValue = quote == .none
        /// Where the value's key, or its dash, stands.
        var column = indent
        while index < line.count {
            let scalar = line[index]
            let next = index + 1 < line.count ? line[index + 1] : " "
            if quote != .none {
                skipQuoted(scalar, next, &index)
                continue
            }
            if scalar == "#", index == indent || line[index - 1] == " " { return nil }
            if startsValue, scalar == "&" || scalar == "*", next != " " { return index }
            if startsValue, flowDepth == 0, scalar == "|" || scalar == ">", Self.isBlockHeader(line[(index + 1)...]) {
                blockIndent = column
                return nil
            }
            if startsValue, scalar == "\"" || scalar == "'" {
                quote = scalar == "\"" ? .double : .single
                startsValue = false
            } else if startsValue, scalar == "[" || scalar == "{" {
                flowDepth += 1
            } else if flowDepth > 0, scalar == "]" || scalar == "}" {
                flowDepth -= 1
                startsValue = false
            } else if scalar == "," && flowDepth > 0 {
                startsValue = true
            } else if (scalar == "-" || scalar == "?") && startsValue && next == " " {
                column = index
            } else if scalar == ":" && (next == " " || flowDepth > 0) {
                startsValue = true
            } else if scalar != " " {
                if startsValue, flowDepth == 0, index > indent, line[indent] == "-" {
                    column = max(column, Self.keyColumn(line, index, column))
                }
                startsValue = false
            }
            index += 1
        }
        return nil
    }

    /// A key behind dashes is what its block text is indented against.
    private static func keyColumn(_ line: [Unicode.Scalar], _ index: Int, _ column: Int) -> Int {
        line[column..<index].allSatisfy { $0 == "-" || $0 == " " || $0 == "?" } ? index : column
    }

    private mutating func skipQuoted(_ scalar: Unicode.Scalar, _ next: Unicode.Scalar, _ index: inout Int) {
        index += 1
        switch quote {
        case .double where scalar == "\\": index += 1
        case .double where scalar == "\"": quote = .none
        case .single where scalar == "'":
            if next == "'" { index += 1 } else { quote = .none }
        default: break
        }
    }

    /// `|`, `|-`, `>2` and the like, and nothing behind but a comment.
    private static func isBlockHeader(_ rest: ArraySlice<Unicode.Scalar>) -> Bool {
        let tail = rest.drop { $0 == "-" || $0 == "+" || ("1"..."9").contains($0) }.drop { $0 == " " }
        return tail.isEmpty || tail.first == "#"
    }
}
