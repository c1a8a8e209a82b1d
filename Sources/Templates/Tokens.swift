/// A word or sign between the braces of a template.
struct Token: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        case word(String)
        case text(String)
        case number(DecimalNumber)
        case sign(String)
    }

    var kind: Kind
    var offset: Int

    /// For messages.
    var described: String {
        switch kind {
        case .word(let word): "'\(word)'"
        case .text(let text): "\"\(text)\""
        case .number(let number): number.description
        case .sign(let sign): "'\(sign)'"
        }
    }
}

/// A stretch of a template as it stands in the source.
enum Piece: Equatable, Sendable {
    case text(String)
    /// `{{ … }}`
    case output([Token], at: Int)
    /// `{% … %}`, at least one word.
    case tag([Token], at: Int)
}
