import Foundation

/// A Swift file of the project, as the tidiness tests look at it.
struct SourceFile {
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

    /// Every Swift file below `Sources`, `Tests` and `loadtest/Sources`, by path ascending.
    static func all() throws -> [SourceFile] {
        var files: [SourceFile] = []
        for folder in ["Sources", "Tests", "loadtest/Sources"] {
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
    private let characters: [Character]
    private var position = 0
    private var output = ""

    init(_ text: String) { characters = Array(text) }

    mutating func strip() -> String {
        while position < characters.count {
            if starts(with: "//") {
                skip { $0.starts(with: "\n") }
            } else if starts(with: "/*") {
                skipComment()
            } else if let hashes = literal() {
                skipLiteral(hashes: hashes)
            } else if starts(with: "`") {
                position += 1
                skip { $0.starts(with: "`") }
                position += 1
                output += "name"
            } else {
                output.append(characters[position])
                position += 1
            }
        }
        return output
    }

    private func starts(with text: String) -> Bool {
        var index = position
        for character in text {
            guard index < characters.count, characters[index] == character else { return false }
            index += 1
        }
        return true
    }

    /// Moves on until `stop` holds; line ends stay.
    private mutating func skip(until stop: (CodeStripper) -> Bool) {
        while position < characters.count, !stop(self) {
            if characters[position] == "\n" { output.append("\n") }
            position += 1
        }
    }

    private mutating func skipComment() {
        var depth = 0
        while position < characters.count {
            if starts(with: "/*") {
                depth += 1
                position += 2
            } else if starts(with: "*/") {
                depth -= 1
                position += 2
                if depth == 0 { return }
            } else {
                if characters[position] == "\n" { output.append("\n") }
                position += 1
            }
        }
    }

    /// How many `#` stand before the text that begins here; nil when none begins.
    private func literal() -> Int? {
        var index = position
        while index < characters.count, characters[index] == "#" { index += 1 }
        return index < characters.count && characters[index] == "\"" ? index - position : nil
    }

    private mutating func skipLiteral(hashes: Int) {
        let guardText = String(repeating: "#", count: hashes)
        position += hashes
        let quote = starts(with: "\"\"\"") ? "\"\"\"" : "\""
        position += quote.count
        output += "\"\""
        while position < characters.count, !starts(with: quote + guardText) {
            if starts(with: "\\" + guardText + "(") {
                position += 2 + hashes
                skipInterpolation()
            } else if starts(with: "\\" + guardText) {
                position += 2 + hashes
            } else {
                if characters[position] == "\n" { output.append("\n") }
                position += 1
            }
        }
        position += quote.count + hashes
    }

    /// The code within a text stays code, but its own texts go too.
    private mutating func skipInterpolation() {
        var depth = 1
        output += " ("
        while position < characters.count, depth > 0 {
            if let hashes = literal() {
                skipLiteral(hashes: hashes)
                continue
            }
            if characters[position] == "(" { depth += 1 }
            if characters[position] == ")" { depth -= 1 }
            output.append(characters[position])
            position += 1
        }
        output += " "
    }
}
