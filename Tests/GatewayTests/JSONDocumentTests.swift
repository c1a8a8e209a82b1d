import Gateway
import Testing

@Suite struct JSONDocumentTests {
    static let broken: [(String, JSONError.Code, Int)] = [
        ("", .empty, 0), ("   ", .empty, 3), ("{", .endsEarly, 1), ("[1,", .endsEarly, 3), ("{\"a\"", .endsEarly, 4),
        ("{\"a\":", .endsEarly, 5), ("{\"a\":1", .endsEarly, 6), ("{\"a\" 1}", .unexpected, 5), ("{a:1}", .unexpected, 1),
        ("{\"a\":1,}", .unexpected, 7), ("[1,]", .unexpected, 3), ("[1 2]", .unexpected, 3), ("[1}", .unexpected, 2),
        ("{\"a\":1]", .unexpected, 6), ("{} {}", .tail, 3), ("1 2", .tail, 2), ("]", .unexpected, 0), (",", .unexpected, 0),
        ("tru", .unexpected, 0), ("truex", .unexpected, 0), ("nul", .unexpected, 0), ("False", .unexpected, 0),
        ("01", .number, 0), ("-", .number, 0), ("1.", .number, 0), (".5", .unexpected, 0), ("1e", .number, 0),
        ("1e+", .number, 0),
        ("+1", .unexpected, 0), ("0x10", .number, 0), ("NaN", .unexpected, 0), ("Infinity", .unexpected, 0), ("--1", .number, 0),
        ("\"a", .unclosedString, 0), ("{\"a\":\"b}", .unclosedString, 5), ("\"a\nb\"", .controlCharacter, 2),
        ("\"a\u{0}b\"", .controlCharacter, 2), ("\"\\x\"", .escape, 1), ("\"\\u12\"", .escape, 1), ("\"\\u12G4\"", .escape, 1),
        ("\"\\ud800\"", .escape, 1), ("\"\\ud800\\u0041\"", .escape, 1), ("\"\\udc00\"", .escape, 1), ("\"a\"b", .tail, 3),
    ]

    @Test("what is no JSON is refused with its position", arguments: broken)
    func refuses(text: String, code: JSONError.Code, position: Int) {
        #expect(throws: JSONError(code, at: position)) { try JSONDocument(Array(text.utf8)) }
    }

    static let wrongUTF8: [([UInt8], Int)] = [
        ([0x22, 0xff, 0x22], 1), ([0x22, 0xc0, 0x80, 0x22], 1), ([0x22, 0x61, 0xe2, 0x82, 0x22], 2),
        ([0x22, 0xed, 0xa0, 0x80, 0x22], 1),
        ([0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], 1), ([0x22, 0x80, 0x22], 1), ([0x22, 0xe0, 0x80, 0x80, 0x22], 1),
    ]

    @Test("invalid UTF-8 is refused with its position", arguments: wrongUTF8)
    func refusesInvalidUTF8(bytes: [UInt8], position: Int) {
        #expect(throws: JSONError(.utf8, at: position)) { try JSONDocument(bytes) }
    }

    @Test func `a NUL byte outside of strings is refused`() {
        #expect(throws: JSONError(.unexpected, at: 1)) { try JSONDocument([0x7b, 0x00, 0x7d]) }
    }

    @Test func `nesting is bounded, on the way in and exactly`() throws {
        let deep = { (levels: Int) in Array((String(repeating: "[", count: levels) + String(repeating: "]", count: levels)).utf8)
        }
        #expect(try JSONDocument(deep(JSONDocument.depthMax)).root.kind == .array)
        #expect(throws: JSONError(.tooDeep, at: JSONDocument.depthMax)) { try JSONDocument(deep(JSONDocument.depthMax + 1)) }
        #expect(throws: JSONError(.tooDeep, at: JSONDocument.depthMax)) { try JSONDocument(deep(1_000_000)) }
    }

    @Test func `values come out as they went in`() throws {
        let text = """
             {"a":1.50, "b":[true,false,null,{"x":[]}], "s":"h\\u00e9\\n\\"q\\" \\ud83d\\ude00 z", "e":"","n":-0.1E+5,
              "k\\u0041":2, "d":1, "d":2, "o":{}}
            """
        let root = try JSONDocument(Array(text.utf8)).root
        #expect(root.kind == .object)
        #expect(root["a"]?.number == "1.50")
        #expect(root["n"]?.number == "-0.1E+5")
        #expect(root["s"]?.string == "hé\n\"q\" 😀 z")
        #expect(root["e"]?.string == "")
        #expect(root["kA"]?.number == "2")
        #expect(root["d"]?.number == "1")
        #expect(root["missing"] == nil)
        #expect(root["o"]?.members.map(\.name) == [])
        let list = try #require(root["b"])
        #expect(list.elements.map(\.kind) == [.bool, .bool, .null, .object])
        #expect(list.elements.map(\.bool) == [true, false, nil, nil])
        #expect(String(decoding: list.raw, as: UTF8.self) == "[true,false,null,{\"x\":[]}]")
        #expect(root.members.map(\.name) == ["a", "b", "s", "e", "n", "kA", "d", "d", "o"])
        #expect(list["a"] == nil)
    }

    @Test func `documents of any length around the parser's blocks are read whole`() throws {
        for length in 0..<300 {
            let text = "{\"text\":\"" + String(repeating: "x", count: length) + "\",\"last\":\(length)}"
            let root = try JSONDocument(Array(text.utf8)).root
            #expect(root["text"]?.string?.utf8.count == length)
            #expect(root["last"]?.number == "\(length)")
        }
    }

    @Test func `any single damaged byte gives an error or a value, never a crash`() {
        let text = Array("{\"a\":[1,2.5e3,\"x\\u0041\\\\\",null,true],\"b\":{\"c\":\"é\"}}".utf8)
        var refused = 0
        for position in text.indices {
            for byte in UInt8.min...UInt8.max {
                var damaged = text
                damaged[position] = byte
                if (try? JSONDocument(damaged)) == nil { refused += 1 }
            }
            if (try? JSONDocument(Array(text[..<position]))) == nil { refused += 1 }
        }
        #expect(refused > text.count * 100)
    }

    @Test("text is quoted so that it reads back", arguments: ["", "a\"b\\c", "\u{0}\u{1}\n\r\t\u{1f}", "ключ 😀", "</script>"])
    func quotes(text: String) throws {
        #expect(try JSONDocument(Array(JSONText.quoted(text).utf8)).root.string == text)
    }
}
