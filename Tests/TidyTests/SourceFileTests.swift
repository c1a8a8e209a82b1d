import Testing

/// The finder is right about what is code, or its silence means nothing.
@Suite struct SourceFileTests {
    private func code(_ text: String) -> String {
        SourceFile(path: "Sources/X/Y.swift", text: text).code.joined(separator: "\n")
    }

    @Test func `comments, texts and quoted names are no code`() {
        #expect(code("a // try! b\nc") == "a \nc")
        #expect(code("a /* x /* y! */ z */ b") == "a  b")
        #expect(code(#"let a = "no! way" + b!"#) == #"let a = "" + b!"#)
        #expect(code(##"let a = #"a "quoted"! text"# + b"##) == #"let a = "" + b"#)
        #expect(code("func `it works!`() {}") == "func name() {}")
        #expect(code(#"let a = "a \" b!" + c"#) == #"let a = "" + c"#)
    }

    @Test func `code within a text is code`() {
        #expect(code(#"let a = "x \(b! + "c!") y!""#).contains("b!"))
        #expect(!code(#"let a = "x \(b! + "c!") y!""#).contains("c!"))
    }

    @Test func `lines keep their numbers`() {
        let text = "a\n/* b\nc */ d\nlet e = \"\"\"\n    f!\n    \"\"\"\ng!"
        let lines = code(text).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 7)
        #expect(lines[2].contains("d"))
        #expect(lines[4] == "")
        #expect(lines[6] == "g!")
    }

    @Test func `imports are found in all their forms`() {
        let file = SourceFile(
            path: "loadtest/Sources/X/Y.swift",
            text: "import A\npackage import B\n@preconcurrency internal import C\nimport struct D.E\n// import F\n\"import G\"\n")
        #expect(file.imports.map(\.module) == ["A", "B", "C", "D"])
        #expect(file.imports.map(\.line) == [1, 2, 3, 4])
        #expect(file.target == "X" && !file.isTest)
    }
}
