/// One value of a document.
package struct JSONValue: Sendable {
    package enum Kind: Sendable { case null, bool, number, string, object, array }

    let document: JSONDocument
    let index: Int

    private var node: JSONNode { document.nodes[index] }

    package var kind: Kind {
        switch node.kind {
        case .null: .null
        case .yes, .no: .bool
        case .number: .number
        case .string, .unescapedString: .string
        case .object: .object
        case .array: .array
        }
    }

    package var isNull: Bool { node.kind == .null }

    package var bool: Bool? {
        switch node.kind {
        case .yes: true
        case .no: false
        default: nil
        }
    }

    /// The characters of a string.
    package var string: String? {
        switch node.kind {
        case .string: String(decoding: document.bytes[node.range], as: UTF8.self)
        case .unescapedString: String(decoding: document.text[node.range], as: UTF8.self)
        default: nil
        }
    }

    /// The digits of a number as they were written.
    package var number: String? {
        node.kind == .number ? String(decoding: document.bytes[node.range], as: UTF8.self) : nil
    }

    /// The bytes that an object, an array, a number or a word takes in the text. Strings stand without their quotes.
    package var range: Range<Int> { node.range }

    /// The bytes of an object, an array, a number or a word as they were written.
    package var raw: ArraySlice<UInt8> { document.bytes[node.range] }

    /// The member of that name, the first if there are several; nil when there is none, and for what is no object.
    package subscript(_ name: StaticString) -> JSONValue? {
        guard node.kind == .object else { return nil }
        let end = Int(node.next)
        var position = index + 1
        while position < end {
            if document.isName(position, name) { return JSONValue(document: document, index: position + 1) }
            position = Int(document.nodes[position + 1].next)
        }
        return nil
    }

    /// An object's members in order; none for what is no object.
    package var members: Members {
        Members(document: document, position: index + 1, end: node.kind == .object ? Int(node.next) : 0)
    }

    /// An array's elements in order; none for what is no array.
    package var elements: Elements {
        Elements(document: document, position: index + 1, end: node.kind == .array ? Int(node.next) : 0)
    }

    package struct Members: Sequence, IteratorProtocol {
        let document: JSONDocument
        var position: Int
        let end: Int

        package mutating func next() -> (name: String, value: JSONValue)? {
            guard position < end else { return nil }
            let name = JSONValue(document: document, index: position).string ?? ""
            let value = JSONValue(document: document, index: position + 1)
            position = Int(document.nodes[position + 1].next)
            return (name, value)
        }
    }

    package struct Elements: Sequence, IteratorProtocol {
        let document: JSONDocument
        var position: Int
        let end: Int

        package mutating func next() -> JSONValue? {
            guard position < end else { return nil }
            let value = JSONValue(document: document, index: position)
            position = Int(document.nodes[position].next)
            return value
        }
    }
}

extension JSONDocument {
    func isName(_ position: Int, _ name: StaticString) -> Bool {
        let node = nodes[position]
        guard Int(node.length) == name.utf8CodeUnitCount else { return false }
        let source = node.kind == .string ? bytes : text
        let start = Int(node.start)
        for offset in 0..<name.utf8CodeUnitCount where unsafe source[start + offset] != name.utf8Start[offset] { return false }
        return true
    }
}
