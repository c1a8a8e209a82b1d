import Foundation

/// A Swift file of the project, as the tidiness tests look at it.
struct SourceFile: Sendable {
    /// Relative to the project's folder.
    let path: String
    /// As written.
    let lines: [String]
    /// The same lines without comments, texts and names in backticks: what is left is code.
    let code: [String]

    /// The target that it belongs to: the folder below `Sources` or `Tests`.
    var target: String {
        let parts = path.split(separator: "/").map(String.init)
        guard let room = parts.firstIndex(where: { $0 == "Sources" || $0 == "Tests" }), room + 1 < parts.count else { return "" }
        return parts[room + 1]
    }

    var isTest: Bool { path.hasPrefix("Tests/") }

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var stripper = CodeStripper(text)
        code = stripper.strip().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// The project's folder.
    static var root: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }

    /// Every Swift file below `Sources`, `Tests`, `loadtest/Sources` and `cluster/Sources`, by path ascending.
    static func all() throws -> [SourceFile] { try read.get() }

    /// Read once for all tests.
    private static let read = Result { try readAll() }

    private static func readAll() throws -> [SourceFile] {
        var files: [SourceFile] = []
        for folder in ["Sources", "Tests", "loadtest/Sources", "cluster/Sources"] {
            let base = root.appending(path: folder)
            let names = try FileManager.default.subpathsOfDirectory(atPath: base.path).filter { $0.hasSuffix(".swift") }
            for name in names.sorted() {
                let text = try String(contentsOf: base.appending(path: name), encoding: .utf8)
                files.append(SourceFile(path: "\(folder)/\(name)", text: text))
            }
        }
        return files
    }

    /// The modules that it imports, with their line numbers from 1.
    var imports: [(module: String, line: Int)] {
        code.enumerated().compactMap { index, line in
            var words = line.split(separator: " ").map(String.init)
            while let first = words.first, first.hasPrefix("@") || Self.access.contains(first) { words.removeFirst() }
            guard words.first == "import", words.count >= 2 else { return nil }
            let name = Self.kinds.contains(words[1]) && words.count >= 3 ? words[2] : words[1]
            return (String(name.prefix { $0 != "." }), index + 1)
        }
    }

    private static let access: Set = ["public", "package", "internal", "fileprivate", "private"]
    private static let kinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
}

/// Takes comments, texts and names in backticks out of Swift code and leaves its lines as they are. Knows no regex literals.
private struct CodeStripper {
    private let bytes: [UInt8]
    private var position = 0
    private var output: [UInt8] = []

    private static let newline = UInt8(ascii: "\n")
    private static let hash = UInt8(ascii: "#")
    private static let quote = UInt8(ascii: "\"")
    private static let slash = UInt8(ascii: "/")
    private static let star = UInt8(ascii: "*")
    private static let backslash = UInt8(ascii: "\\")
    private static let backtick = UInt8(ascii: "`")
    private static let open = UInt8(ascii: "(")
    private static let close = UInt8(ascii: ")")

    init(_ text: String) {
        bytes = Array(text.utf8)
        output.reserveCapacity(bytes.count)
    }

    mutating func strip() -> String {
        while position < bytes.count {
            switch bytes[position] {
            case Self.slash where next(1) == Self.slash: skipLine()
            case Self.slash where next(1) == Self.star: skipComment()
            case Self.backtick: skipName()
            case Self.quote, Self.hash:
                if let hashes = literal() { skipLiteral(hashes: hashes) } else { keep() }
            default: keep()
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private func next(_ offset: Int) -> UInt8? {
        position + offset < bytes.count ? bytes[position + offset] : nil
    }

    private mutating func keep() {
        output.append(bytes[position])
        position += 1
    }

    /// Leaves a byte out; line ends stay.
    private mutating func drop(_ count: Int = 1) {
        for _ in 0..<count where position < bytes.count {
            if bytes[position] == Self.newline { output.append(Self.newline) }
            position += 1
        }
    }

    private mutating func skipLine() {
        while position < bytes.count, bytes[position] != Self.newline { position += 1 }
    }

    private mutating func skipName() {
        position += 1
        while position < bytes.count, bytes[position] != Self.backtick { drop() }
        position += 1
        output += Array("name".utf8)
    }

    private mutating func skipComment() {
        var depth = 0
        repeat {
            if bytes[position] == Self.slash, next(1) == Self.star {
                depth += 1
                drop(2)
            } else if bytes[position] == Self.star, next(1) == Self.slash {
                depth -= 1
                drop(2)
            } else {
                drop()
            }
        } while depth > 0 && position < bytes.count
    }

    /// How many `#` stand before the text that begins here; nil when none begins.
    private func literal() -> Int? {
        var count = 0
        while next(count) == Self.hash { count += 1 }
        return next(count) == Self.quote ? count : nil
    }

    private mutating func skipLiteral(hashes: Int) {
        drop(hashes)
        let quotes = next(1) == Self.quote && next(2) == Self.quote ? 3 : 1
        drop(quotes)
        output += [Self.quote, Self.quote]
        while position < bytes.count, !ends(quotes: quotes, hashes: hashes) {
            guard bytes[position] == Self.backslash, (0..<hashes).allSatisfy({ next(1 + $0) == Self.hash }) else {
                drop()
                continue
            }
            let isInterpolation = next(1 + hashes) == Self.open
            drop(2 + hashes)
            if isInterpolation { keepInterpolation() }
        }
        drop(quotes + hashes)
    }

    private func ends(quotes: Int, hashes: Int) -> Bool {
        (0..<quotes).allSatisfy { next($0) == Self.quote } && (0..<hashes).allSatisfy { next(quotes + $0) == Self.hash }
    }

    /// The code within a text stays code, but its own texts go too.
    private mutating func keepInterpolation() {
        var depth = 1
        output += Array(" (".utf8)
        while position < bytes.count, depth > 0 {
            if let hashes = literal() {
                skipLiteral(hashes: hashes)
                continue
            }
            if bytes[position] == Self.open { depth += 1 }
            if bytes[position] == Self.close { depth -= 1 }
            keep()
        }
        output += Array(" ".utf8)
    }
}
