import Testing

@testable import PurchaseFiles

@Suite struct DelimitedReaderTests {
    private func rows(_ text: String, piece: Int = .max) -> [String] {
        var reader = DelimitedReader()
        var found: [DelimitedReader.Row] = []
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            let end = piece < bytes.count - start ? start + piece : bytes.count
            found += reader.read(bytes[start..<end])
            start = end
        }
        found += reader.finish()
        return found.map { row in
            switch row.fields {
            case .success(let fields): "\(row.number) \(fields.joined(separator: "|"))"
            case .failure(let broken): "\(row.number)! \(broken.reason)"
            }
        }
    }

    @Test(arguments: [1, 2, 3, 7, Int.max])
    func `rows are the same however the file is cut`(piece: Int) {
        let text = "\u{feff}a,b\r\n\"x, \"\"y\"\"\nz\",2\n\n3,\n,"
        #expect(rows(text, piece: piece) == ["1 a|b", "2 x, \"y\"\nz|2", "4 3|", "5 |"])
    }

    @Test func `an open quotation mark costs its own line`() {
        #expect(rows("a,b\n\"c,d\ne,f\n") == ["1 a|b", "2! a quotation mark is opened and not closed", "3 e|f"])
    }

    @Test func `text after a closing quotation mark is no field`() {
        #expect(rows("\"a\"b,c\n1,2\n") == ["1! column 1: text follows the closing quotation mark", "2 1|2"])
        #expect(rows("a\"b,c\n1,2\n").last == "2 1|2")
    }

    @Test(arguments: [1000, Int.max])
    func `a row without end is thrown away and reading goes on`(piece: Int) {
        let found = rows("a,b\n" + String(repeating: "x", count: 200_000) + "\nc,d\n", piece: piece)
        #expect(found == ["1 a|b", "2! longer than 65536 bytes", "3 c|d"])
    }

    @Test func `bytes that are no UTF-8 break their row alone`() {
        var reader = DelimitedReader()
        let found = reader.read([0x61, 0x2c, 0xff, 0x0a, 0x62, 0x2c, 0x63, 0x0a])
        #expect(found[0].fields == .failure(BrokenRow(row: 1, reason: "column 2: is not UTF-8")))
        #expect(found[1].fields == .success(["b", "c"]))
    }
}
