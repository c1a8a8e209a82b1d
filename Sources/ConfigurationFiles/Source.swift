/// One file's text.
struct Source {
    let name: String
    let order: Int
    let text: String
    /// Without their ends.
    let lines: [Substring]

    /// Nil, with the problem reported, when the bytes are too many or not UTF-8.
    init?(name: String, order: Int, bytes: [UInt8], bytesMax: Int, report: Report) {
        let whole = Place(file: name, line: 0, column: 0, order: order)
        guard bytes.count <= bytesMax else {
            report.add(whole, "", "the file has \(bytes.count) bytes; at most \(bytesMax) are allowed")
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let place = Source.firstInvalid(bytes)
            report.add(
                Place(file: name, line: place.line, column: place.column, order: order), "",
                "this is not UTF-8; save the file as UTF-8")
            return nil
        }
        self.name = name
        self.order = order
        self.text = text
        lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
    }

    func place(_ line: Int, _ column: Int) -> Place { Place(file: name, line: line, column: column, order: order) }

    /// The place of a character's offset from the beginning.
    func place(character offset: Int) -> Place {
        var line = 1
        var column = 1
        for character in text.prefix(offset) {
            if character.isNewline {
                line += 1
                column = 1
            } else {
                column += 1
            }
        }
        return place(line, column)
    }

    /// The name of a file that stands beside this one.
    func neighbour(_ name: String) -> String {
        guard !name.hasPrefix("/"), let slash = self.name.lastIndex(of: "/") else { return name }
        return self.name[...slash] + name
    }

    private static func firstInvalid(_ bytes: [UInt8]) -> (line: Int, column: Int) {
        var line = 1
        for part in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
            if String(validating: part, as: UTF8.self) == nil {
                var valid = part.count
                while valid > 0, String(validating: part.prefix(valid), as: UTF8.self) == nil { valid -= 1 }
                return (line, String(decoding: part.prefix(valid), as: UTF8.self).unicodeScalars.count + 1)
            }
            line += 1
        }
        return (line, 1)
    }
}
