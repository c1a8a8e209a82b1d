/// Cuts a template into texts, outputs and tags.
struct Scanner {
    private let bytes: [UInt8]
    private var position = 0
    private var pieces: [Piece] = []
    /// The text that follows begins after white space.
    private var trimsNext = false

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func pieces(of bytes: [UInt8]) throws(Fault) -> [Piece] {
        var scanner = Scanner(bytes)
        try scanner.run()
        return scanner.pieces
    }

    private mutating func run() throws(Fault) {
        var start = 0
        while position < bytes.count {
            guard bytes[position] == Byte.openBrace, let kind = byte(position + 1),
                kind == Byte.openBrace || kind == Byte.percent || kind == Byte.hash
            else {
                position += 1
                continue
            }
            addText(start..<position, trimsEnd: byte(position + 2) == Byte.minus)
            switch kind {
            case Byte.hash: try skipComment()
            case Byte.openBrace: try readOutput()
            default: try readTag()
            }
            start = position
        }
        addText(start..<position, trimsEnd: false)
    }

    private func byte(_ index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func addText(_ range: Range<Int>, trimsEnd: Bool) {
        var range = range
        if trimsNext { while let first = range.first, Byte.isSpace(bytes[first]) { range.removeFirst() } }
        if trimsEnd { while let last = range.last, Byte.isSpace(bytes[last]) { range.removeLast() } }
        trimsNext = false
        if !range.isEmpty { pieces.append(.text(String(decoding: bytes[range], as: UTF8.self))) }
    }

    private mutating func skipComment() throws(Fault) {
        let start = position
        position += 2
        while position + 1 < bytes.count {
            if bytes[position] == Byte.hash, bytes[position + 1] == Byte.closeBrace {
                trimsNext = bytes[position - 1] == Byte.minus && position - 1 > start + 1
                position += 2
                return
            }
            position += 1
        }
        throw Fault(at: start, "the comment '{#' is not closed with '#}'")
    }

    private mutating func readOutput() throws(Fault) {
        let start = position
        position += byte(position + 2) == Byte.minus ? 3 : 2
        let tokens = try readTokens(opened: "{{", closing: Byte.closeBrace, from: start)
        guard !tokens.isEmpty else { throw Fault(at: start, "'{{ }}' names nothing to print") }
        pieces.append(.output(tokens, at: start))
    }

    private mutating func readTag() throws(Fault) {
        let start = position
        position += byte(position + 2) == Byte.minus ? 3 : 2
        let tokens = try readTokens(opened: "{%", closing: Byte.percent, from: start)
        guard case .word(let name)? = tokens.first?.kind else { throw Fault(at: start, "'{% %}' needs a word such as 'if'") }
        switch name {
        case "comment": _ = try skip(to: "endcomment", from: start)
        case "raw", "verbatim":
            let body = try skip(to: "end" + name, from: start)
            if !body.isEmpty { pieces.append(.text(String(decoding: bytes[body], as: UTF8.self))) }
        default: pieces.append(.tag(tokens, at: start))
        }
    }

    /// Goes behind the tag of this name, and gives what stands before it.
    private mutating func skip(to name: String, from start: Int) throws(Fault) -> Range<Int> {
        let bodyStart = position
        let word = Array(name.utf8)
        while position + 1 < bytes.count {
            guard bytes[position] == Byte.openBrace, bytes[position + 1] == Byte.percent else {
                position += 1
                continue
            }
            let bodyEnd = position
            var index = position + 2
            if byte(index) == Byte.minus { index += 1 }
            while let space = byte(index), Byte.isSpace(space) { index += 1 }
            guard bytes[index...].starts(with: word) else {
                position += 2
                continue
            }
            index += word.count
            while let space = byte(index), Byte.isSpace(space) { index += 1 }
            trimsNext = byte(index) == Byte.minus
            if trimsNext { index += 1 }
            guard byte(index) == Byte.percent, byte(index + 1) == Byte.closeBrace else {
                position += 2
                trimsNext = false
                continue
            }
            position = index + 2
            return bodyStart..<bodyEnd
        }
        throw Fault(at: start, "'{% \(name.dropFirst(3)) %}' is not closed with '{% \(name) %}'")
    }

    private mutating func readTokens(opened: String, closing: UInt8, from start: Int) throws(Fault) -> [Token] {
        var tokens: [Token] = []
        while let next = byte(position) {
            if Byte.isSpace(next) {
                position += 1
            } else if next == closing, byte(position + 1) == Byte.closeBrace {
                position += 2
                return tokens
            } else if next == Byte.minus, byte(position + 1) == closing, byte(position + 2) == Byte.closeBrace {
                position += 3
                trimsNext = true
                return tokens
            } else {
                tokens.append(try readToken(next))
                guard tokens.count <= RenderLimits.tagTokensMax else {
                    throw Fault(at: start, "'\(opened)' holds more than \(RenderLimits.tagTokensMax) words and signs")
                }
            }
        }
        throw Fault(at: start, "'\(opened)' is not closed")
    }

    private mutating func readToken(_ first: UInt8) throws(Fault) -> Token {
        let start = position
        if Byte.isWordStart(first) {
            while let next = byte(position), Byte.isWordPart(next) { position += 1 }
            return Token(kind: .word(String(decoding: bytes[start..<position], as: UTF8.self)), offset: start)
        }
        if Byte.isDigit(first) || (first == Byte.minus && byte(position + 1).map(Byte.isDigit) == true) {
            return try readNumber()
        }
        if first == Byte.quote || first == Byte.apostrophe { return try readText(closedBy: first) }
        let two = String(decoding: bytes[start..<min(start + 2, bytes.count)], as: UTF8.self)
        if ["==", "!=", "<=", ">="].contains(two) {
            position += 2
            return Token(kind: .sign(two), offset: start)
        }
        if ".|:,()[]<>".utf8.contains(first) {
            position += 1
            return Token(kind: .sign(String(decoding: [first], as: UTF8.self)), offset: start)
        }
        if first == Byte.equals { throw Fault(at: start, "'=' compares nothing; write '=='") }
        let sign = first < 0x80 ? "'\(String(decoding: [first], as: UTF8.self))'" : "this character"
        throw Fault(at: start, "\(sign) has no meaning here")
    }

    private mutating func readNumber() throws(Fault) -> Token {
        let start = position
        position += 1
        while let next = byte(position), Byte.isDigit(next) { position += 1 }
        if byte(position) == Byte.point, byte(position + 1).map(Byte.isDigit) == true {
            position += 1
            while let next = byte(position), Byte.isDigit(next) { position += 1 }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let number = DecimalNumber(text) else {
            throw Fault(at: start, "the number \(text) is too long; at most \(DecimalNumber.digitsMax) digits")
        }
        return Token(kind: .number(number), offset: start)
    }

    private mutating func readText(closedBy quote: UInt8) throws(Fault) -> Token {
        let start = position
        position += 1
        var text: [UInt8] = []
        while let next = byte(position) {
            if next == Byte.backslash, let escaped = byte(position + 1), escaped == quote || escaped == Byte.backslash {
                text.append(escaped)
                position += 2
            } else if next == quote {
                position += 1
                return Token(kind: .text(String(decoding: text, as: UTF8.self)), offset: start)
            } else {
                text.append(next)
                position += 1
            }
        }
        throw Fault(at: start, "the text in quotes is not closed")
    }
}

/// The bytes that mean something.
enum Byte {
    static let openBrace: UInt8 = 0x7b
    static let closeBrace: UInt8 = 0x7d
    static let percent: UInt8 = 0x25
    static let hash: UInt8 = 0x23
    static let minus: UInt8 = 0x2d
    static let point: UInt8 = 0x2e
    static let quote: UInt8 = 0x22
    static let apostrophe: UInt8 = 0x27
    static let backslash: UInt8 = 0x5c
    static let equals: UInt8 = 0x3d

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    /// Letters, `_`, and everything beyond ASCII.
    static func isWordStart(_ byte: UInt8) -> Bool {
        (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte) || byte == 0x5f || byte >= 0x80
    }
    static func isWordPart(_ byte: UInt8) -> Bool { isWordStart(byte) || isDigit(byte) }
}
