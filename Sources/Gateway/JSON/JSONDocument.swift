internal import CSimdjson

/// A JSON text that has been read and checked as a whole. Immutable; may be used on any thread.
///
/// Numbers keep their own digits, and every value knows the bytes it was read from.
package final class JSONDocument: Sendable {
    /// What is read deeper than this is refused.
    package static let depthMax = 32

    let bytes: [UInt8]
    /// Characters of the strings that had escapes.
    let text: [UInt8]
    let nodes: [JSONNode]

    /// Throws where the text is not JSON in UTF-8, ends early, has a tail, or is nested deeper than ``depthMax``.
    package init(_ bytes: [UInt8]) throws(JSONError) {
        self.bytes = bytes
        var failure: JSONError?
        (nodes, text) = unsafe bytes.withUnsafeBufferPointer { raw in
            let result = unsafe reprise_json_read(raw.baseAddress, raw.count, UInt32(Self.depthMax))
            guard unsafe Int(result.error) == REPRISE_JSON_OK else {
                failure = unsafe JSONError(JSONError.Code(result.error), at: result.position)
                return ([], [])
            }
            let nodes = unsafe UnsafeBufferPointer(start: result.nodes, count: result.node_count)
            let text = unsafe UnsafeBufferPointer(start: result.text, count: result.text_count)
            return unsafe (nodes.map(JSONNode.init), Array(text))
        }
        if let failure { throw failure }
    }

    package var root: JSONValue { JSONValue(document: self, index: 0) }
}

struct JSONNode: Sendable {
    enum Kind: UInt8, Sendable {
        case null = 0
        case yes, no, number, string, unescapedString, object, array
    }

    let kind: Kind
    let start: UInt32
    let length: UInt32
    let next: UInt32

    init(_ node: reprise_json_node) {
        guard let kind = Kind(rawValue: UInt8(truncatingIfNeeded: node.kind)) else {
            preconditionFailure("JSON reader gave node kind \(node.kind)")
        }
        self.kind = kind
        start = node.start
        length = node.length
        next = node.next
    }

    var range: Range<Int> { Int(start)..<Int(start) + Int(length) }
}

/// Why a text is not JSON, and at which byte.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        case empty, utf8, controlCharacter, unclosedString, escape, number, unexpected, endsEarly, tail, tooDeep, memory
    }

    package let code: Code
    /// Byte offset, from 0.
    package let position: Int

    package init(_ code: Code, at position: Int) {
        self.code = code
        self.position = position
    }

    package var description: String {
        let what =
            switch code {
            case .empty: "there is no JSON"
            case .utf8: "invalid UTF-8"
            case .controlCharacter: "a control character in a string; write it as an escape"
            case .unclosedString: "a string that is never closed"
            case .escape: "an escape that JSON does not have"
            case .number: "a number that JSON does not allow"
            case .unexpected: "an unexpected character"
            case .endsEarly: "the text ends early"
            case .tail: "something follows behind the value"
            case .tooDeep: "nested deeper than \(JSONDocument.depthMax) levels"
            case .memory: "no memory to read it"
            }
        return "\(what) at byte \(position)"
    }
}

extension JSONError.Code {
    init(_ number: Int32) {
        self =
            switch Int(number) {
            case REPRISE_JSON_EMPTY: .empty
            case REPRISE_JSON_UTF8: .utf8
            case REPRISE_JSON_CONTROL_CHARACTER: .controlCharacter
            case REPRISE_JSON_UNCLOSED_STRING: .unclosedString
            case REPRISE_JSON_ESCAPE: .escape
            case REPRISE_JSON_NUMBER_FORM: .number
            case REPRISE_JSON_ENDS_EARLY: .endsEarly
            case REPRISE_JSON_TAIL: .tail
            case REPRISE_JSON_TOO_DEEP: .tooDeep
            case REPRISE_JSON_MEMORY: .memory
            default: .unexpected
            }
    }
}
